ALTER TABLE "deployment" ADD COLUMN "data_set" text;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "data_set" text;