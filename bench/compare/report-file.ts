import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Machine } from './machine.js'
import { markdownOf } from './print.js'
import type { Section } from './report.js'

/** What a run leaves, complete or not. */
export interface Report {
  readonly startedAt: string
  readonly command: string
  readonly machine: Machine
  readonly options: unknown
  readonly sections: readonly Section[]
}

export interface ReportFile {
  /** Takes a section in, in place of what was known of it, and writes everything anew. */
  readonly keep: (section: Section) => Promise<void>
  readonly sections: () => readonly Section[]
}

/** The report in `file`, as JSON, and its tables as Markdown in a file beside it. */
export function openReport(file: string, head: Omit<Report, 'sections'>): ReportFile {
  const sections = new Map<string, Section>()

  async function write(path: string, text: string): Promise<void> {
    // Whoever interrupts a run finds the last whole one.
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }

  return {
    sections: () => [...sections.values()],
    async keep(section) {
      sections.set(section.id, section)
      const all = [...sections.values()]
      await mkdir(dirname(file), { recursive: true })
      await write(file, `${JSON.stringify({ ...head, sections: all }, null, 2)}\n`)
      await write(file.replace(/(\.json)?$/, '.md'), all.map(markdownOf).join('\n'))
    }
  }
}
