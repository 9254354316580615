-- The one row that carries the generation of the whole deployment.
INSERT INTO "deployment" DEFAULT VALUES ON CONFLICT DO NOTHING;
