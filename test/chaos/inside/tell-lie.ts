/** Loaded into a node by `--import`: makes it lie as `CHAOS_LIE` says. */
import { register } from 'node:module'

register('./lies.js', import.meta.url, { data: process.env['CHAOS_LIE'] })
