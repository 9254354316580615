ALTER TYPE "public"."node_mode" ADD VALUE 'replica';--> statement-breakpoint
CREATE TABLE "clients" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"secret_hash" "bytea" NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"created_by" uuid,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
DROP INDEX "revocations_live_until";--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "epoch" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "applied" "pg_snapshot";--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "lease_ms" integer DEFAULT 500 NOT NULL;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "client_id" uuid;--> statement-breakpoint
ALTER TABLE "revocations" ADD COLUMN "xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL;--> statement-breakpoint
CREATE INDEX "revocations_xid" ON "revocations" USING btree ("xid");--> statement-breakpoint
CREATE UNIQUE INDEX "revocations_live_until" ON "revocations" USING btree ("live_until","sequence");