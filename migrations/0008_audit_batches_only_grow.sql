-- A batch's row comes first, then its events: each within the span that the batch's hash covers, so
-- that no young event can hide in a batch that says it is old.
CREATE OR REPLACE FUNCTION audit_events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF EXISTS (SELECT 1 FROM audit_batches WHERE number = OLD.batch AND pruned_at IS NOT NULL) THEN
      RETURN OLD;
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF OLD.batch IS NULL AND (to_jsonb(NEW) - 'batch') = (to_jsonb(OLD) - 'batch') AND EXISTS (
      SELECT 1 FROM audit_batches
      WHERE number = NEW.batch AND number = (SELECT max(number) FROM audit_batches)
        AND pruned_at IS NULL AND NEW.occurred_at BETWEEN first_event_at AND last_event_at
    ) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'Audit events are append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
--> statement-breakpoint
-- An event without a time could never be sealed, nor any behind it.
CREATE TRIGGER audit_events_begin_unsealed BEFORE INSERT ON audit_events
FOR EACH ROW WHEN (NEW.batch IS NOT NULL OR NOT isfinite(NEW.occurred_at)) EXECUTE FUNCTION audit_events_are_append_only();
--> statement-breakpoint
CREATE FUNCTION audit_batches_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.pruned_at IS NULL
      AND NEW.number = (SELECT coalesce(max(number), 0) + 1 FROM audit_batches) THEN
      RETURN NEW;
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF OLD.pruned_at IS NULL AND NEW.pruned_at IS NOT NULL
      AND (to_jsonb(NEW) - 'pruned_at') = (to_jsonb(OLD) - 'pruned_at') THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'Audit batches only grow' USING ERRCODE = 'insufficient_privilege';
END
$$;
--> statement-breakpoint
-- Of a whole statement, as it takes its rows in any order. That the batch before is pruned is enough:
-- of that one, the same was asked.
CREATE FUNCTION audit_batches_are_pruned_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM pruned WHERE (
      SELECT older.pruned_at IS NULL FROM audit_batches AS older
      WHERE older.number < pruned.number ORDER BY older.number DESC LIMIT 1
    )
  ) THEN
    RAISE EXCEPTION 'Audit batches are pruned oldest first' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- Or a temporary table of the name audit_batches would be taken for the real one.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'audit_events_are_append_only', 'audit_batches_only_grow', 'audit_batches_are_pruned_in_order'
  ] LOOP
    EXECUTE format('ALTER FUNCTION %I() SET search_path = %I, pg_temp', name, current_schema());
  END LOOP;
END
$$;
--> statement-breakpoint
CREATE TRIGGER audit_batches_only_grow BEFORE INSERT OR UPDATE OR DELETE ON audit_batches
FOR EACH ROW EXECUTE FUNCTION audit_batches_only_grow();
--> statement-breakpoint
CREATE TRIGGER audit_batches_no_truncate BEFORE TRUNCATE ON audit_batches
FOR EACH STATEMENT EXECUTE FUNCTION audit_batches_only_grow();
--> statement-breakpoint
CREATE TRIGGER audit_batches_pruned_in_order AFTER UPDATE ON audit_batches
REFERENCING NEW TABLE AS pruned FOR EACH STATEMENT EXECUTE FUNCTION audit_batches_are_pruned_in_order();
