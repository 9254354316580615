#!/usr/bin/env node
// In a checkout with its development tools the command runs from the source, so that it is never
// older than that; anywhere else, as in the image, it runs what was built.
import { existsSync } from 'node:fs'

const hasSource = existsSync(new URL('../src/cli/main.ts', import.meta.url))
const tsx = hasSource ? await import('tsx/esm/api').catch(() => undefined) : undefined
tsx?.register()
await import(tsx === undefined ? '../dist/cli/main.js' : '../src/cli/main.ts')
