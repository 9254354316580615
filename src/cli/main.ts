import { runProgram } from './program.js'
import { createTerminal } from './terminal.js'

const { stdin, stdout, stderr, env } = process
process.exitCode = await runProgram(process.argv.slice(2), {
  terminal: createTerminal({ stdin, stdout, stderr, env }),
  env,
  cwd: process.cwd()
})
