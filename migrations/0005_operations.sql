CREATE TYPE "public"."audit_outcome" AS ENUM('success', 'refused');--> statement-breakpoint
CREATE TYPE "public"."incident_status" AS ENUM('running', 'stopped', 'finished');--> statement-breakpoint
CREATE TABLE "audit_batches" (
	"number" integer PRIMARY KEY NOT NULL,
	"sealed_at" timestamp with time zone NOT NULL,
	"events" integer NOT NULL,
	"first_event_at" timestamp with time zone NOT NULL,
	"last_event_at" timestamp with time zone NOT NULL,
	"events_hash" "bytea" NOT NULL,
	"previous_hash" "bytea" NOT NULL,
	"hash" "bytea" NOT NULL,
	"pruned_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "audit_events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"batch" integer,
	"occurred_at" timestamp with time zone NOT NULL,
	"action" text NOT NULL,
	"outcome" "audit_outcome" NOT NULL,
	"actor_kind" text NOT NULL,
	"actor" text,
	"subject_kind" text,
	"subject" text,
	"user_id" uuid,
	"ip" text,
	"reason" text,
	"details" jsonb
);
--> statement-breakpoint
CREATE TABLE "incidents" (
	"id" uuid PRIMARY KEY NOT NULL,
	"target" jsonb NOT NULL,
	"reason" text NOT NULL,
	"actor_kind" text NOT NULL,
	"actor" text,
	"started_at" timestamp with time zone NOT NULL,
	"status" "incident_status" NOT NULL,
	"position" uuid,
	"sessions_expected" integer NOT NULL,
	"sessions_revoked" integer DEFAULT 0 NOT NULL,
	"batches" integer DEFAULT 0 NOT NULL,
	"worker_id" uuid,
	"heartbeat_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"receipt" jsonb
);
--> statement-breakpoint
-- Before the ALTERs: their locks would be held while the indexes are built, and stop every node.
CREATE INDEX "users_email_prefix" ON "users" USING btree ("email" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "users_name_prefix" ON "users" USING btree (lower("name") text_pattern_ops);--> statement-breakpoint
ALTER TABLE "deployment" ADD COLUMN "logins_spread_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "key_ids" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE INDEX "audit_events_actor" ON "audit_events" USING btree ("actor","id");--> statement-breakpoint
CREATE INDEX "audit_events_subject" ON "audit_events" USING btree ("subject","id");--> statement-breakpoint
CREATE INDEX "audit_events_user" ON "audit_events" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "audit_events_action" ON "audit_events" USING btree ("action","id");--> statement-breakpoint
CREATE INDEX "audit_events_batch" ON "audit_events" USING btree ("batch","id");--> statement-breakpoint
CREATE INDEX "audit_events_unsealed" ON "audit_events" USING btree ("id") WHERE "audit_events"."batch" is null;
