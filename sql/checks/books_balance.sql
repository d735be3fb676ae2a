-- The books of every mailbox balance: each message listed has one outcome, and those still there are as many as listed last.
select 'mailbox ' || mailbox from mart.balance where not balanced;
