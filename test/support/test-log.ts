interface Line {
  readonly level: 'info' | 'warn'
  readonly fields: object
  readonly message: string
}

interface PinoLine {
  level: number
  msg: string
  time: number
  pid: number
  hostname: string
}

export interface TestLog {
  readonly lines: readonly Line[]
  readonly messages: () => string[]
  info: (fields: object, message: string) => void
  warn: (fields: object, message: string) => void
  /** For pino, and so for Fastify: `Fastify({ logger: { stream: log } })`. */
  write: (line: string) => void
  /** Done when `message` is written for the `count`th time. */
  heard: (message: string, count?: number) => Promise<void>
}

/** A log whose lines a test can wait for. */
export function createTestLog(): TestLog {
  const lines: Line[] = []
  const listeners = new Set<() => void>()

  function add(level: Line['level'], fields: object, message: string): void {
    lines.push({ level, fields, message })
    for (const listen of listeners) listen()
  }

  return {
    lines,
    messages: () => lines.map((line) => line.message),
    info: (fields, message) => add('info', fields, message),
    warn: (fields, message) => add('warn', fields, message),
    write(line) {
      const { level, msg, time, pid, hostname, ...fields } = JSON.parse(line) as PinoLine
      if (level === 30) add('info', fields, msg)
      if (level === 40) add('warn', fields, msg)
    },
    heard: (message, count = 1) =>
      new Promise((resolve) => {
        const listen = (): void => {
          if (lines.filter((line) => line.message === message).length < count) return
          listeners.delete(listen)
          resolve()
        }
        listeners.add(listen)
        listen()
      })
  }
}
