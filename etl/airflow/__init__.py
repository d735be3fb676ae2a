"""The one folder that knows Airflow: what the DAGs call, in Airflow's terms."""
