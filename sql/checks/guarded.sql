-- What guards the record is as it was made: triggers, row-level security, functions and views; nobody else may change it.
select coalesce(now.guard, made.guard)
       || case when now.guard is null then ': is gone' when made.guard is null then ': was added' else ': was changed' end
from ops.guards() as now full join ops.guard as made using (guard)
where now.made_as is distinct from made.made_as
  -- Functions and views of one's own guard nothing.
  and (made.guard is not null or now.guard !~ '^(function|view) ');
