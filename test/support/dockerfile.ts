import { readFileSync } from 'node:fs'
import { DockerfileParser } from 'dockerfile-ast'

interface Instruction {
  readonly keyword: string
  /** All that follows the keyword, flags included, on one line. */
  readonly content: string
}

/** What one FROM starts. */
export interface Stage {
  readonly image: string
  readonly name: string | undefined
  readonly instructions: readonly Instruction[]
}

export const dockerfileText = readFileSync('Dockerfile', 'utf8')

export function dockerfileStages(): Stage[] {
  const stages: (Stage & { instructions: Instruction[] })[] = []
  for (const instruction of DockerfileParser.parse(dockerfileText).getInstructions()) {
    const keyword = instruction.getKeyword()
    const text = instruction.getTextContent().replaceAll(/\\\n\s*/g, ' ')
    const content = text.slice(keyword.length).trim()
    if (keyword === 'FROM') {
      const [image = '', , name] = content.split(/\s+/)
      stages.push({ image, name, instructions: [] })
    } else {
      stages.at(-1)?.instructions.push({ keyword, content })
    }
  }
  return stages
}

/** What the image itself runs under: the last stage and the stages it is built on, those first. */
export function runtimeInstructions(): Instruction[] {
  const stages = dockerfileStages()
  const lineOf = (stage: Stage | undefined): Stage[] =>
    stage === undefined ? [] : [...lineOf(stages.find(({ name }) => name === stage.image)), stage]
  return lineOf(stages.at(-1)).flatMap(({ instructions }) => instructions)
}

export function contentsOf(keyword: string): string[] {
  return runtimeInstructions()
    .filter((instruction) => instruction.keyword === keyword)
    .map(({ content }) => content)
}

/** The variables of the image. */
export function imageEnvironment(): Record<string, string> {
  const assignments = contentsOf('ENV').flatMap((content) => content.split(/\s+/))
  return Object.fromEntries(
    assignments.map((assignment) => {
      const [name = '', ...value] = assignment.split('=')
      return [name, value.join('=')]
    })
  )
}

/** The command of an instruction in exec form. */
export function execForm(content: string): string[] {
  const parsed: unknown = JSON.parse(content.slice(content.indexOf('[')))
  if (Array.isArray(parsed) && parsed.every((word) => typeof word === 'string')) return parsed
  throw new TypeError(`${content} is not in exec form`)
}
