-- The least that a refresh must do: one row, if its counter is still the one that was presented. Each client has
-- sessions of its own and takes them in turns, so that nobody waits for a lock; their numbers start at 1.
\set row :client_id * :sessions + mod(:done, :sessions) + 1
\set expected :done / :sessions
update sessions set counter = counter + 1, last_used_at = now()
  where id = ('00000000-0000-7000-9000-' || lpad(to_hex(:row::int), 12, '0'))::uuid and counter = :expected::int
  returning version, generation, expires_at;
\set done :done + 1
