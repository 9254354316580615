-- In two steps: a column that is added with a volatile default is written into every row, under a lock.
ALTER TABLE "incidents" ADD COLUMN "started_xid" "xid8";--> statement-breakpoint
ALTER TABLE "incidents" ALTER COLUMN "started_xid" SET DEFAULT pg_current_xact_id();--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "opened_xid" "xid8";--> statement-breakpoint
ALTER TABLE "sessions" ALTER COLUMN "opened_xid" SET DEFAULT pg_current_xact_id();
