import { findProgram } from './program.js'

/** Makes sure that there is a curl, with which the documentation talks. @throws where there is none. */
export async function needCurl(): Promise<void> {
  await findProgram({
    names: ['curl'],
    debianPackage: 'curl',
    help: 'The commands of the documentation are run as they stand, with curl: install it from your system (apt install curl).'
  })
}
