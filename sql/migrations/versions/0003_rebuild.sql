-- Rebuilding: what was read from a message can be read again, by a newer parser or after damage.

-- One row for each rebuild: messages read again from their bytes, and what was read before replaced where it differs.
create table ops.rebuild (
    rebuild_id bigint generated always as identity primary key,
    parser text not null,
    every boolean not null,
    begun_by text not null default session_user,
    began_at timestamptz not null default now(),
    up_to bigint not null default 0,
    messages bigint not null default 0,
    changed bigint not null default 0,
    ended_at timestamptz
);
comment on column ops.rebuild.rebuild_id is 'Number of the rebuild.';
comment on column ops.rebuild.parser is 'What read the messages again, with versions.';
comment on column ops.rebuild.every is 'Whether all messages were read again, or those alone that another parser had read.';
comment on column ops.rebuild.begun_by is 'The database role that began it.';
comment on column ops.rebuild.began_at is 'When it began.';
comment on column ops.rebuild.up_to is 'The message that it has come to: where a later call goes on.';
comment on column ops.rebuild.messages is 'Messages read again so far.';
comment on column ops.rebuild.changed is 'Of these: those of which something was replaced.';
comment on column ops.rebuild.ended_at is 'When it came to its end; null while it has not.';
