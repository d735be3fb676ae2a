"""The tests of popvault; they mirror etl/."""
