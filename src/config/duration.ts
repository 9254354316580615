const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function isUnit(text: string | undefined): text is keyof typeof unitsMs {
  return text !== undefined && Object.hasOwn(unitsMs, text)
}

/** Milliseconds in a duration such as `500ms`, `10s`, `15m`, `1h` or `7d`: a whole number and a unit. */
export function parseDurationMs(text: string): number | undefined {
  const [, count, unit] = /^(0|[1-9]\d{0,8})([a-z]+)$/.exec(text) ?? []
  return isUnit(unit) ? Number(count) * unitsMs[unit] : undefined
}
