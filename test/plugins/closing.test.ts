import { EventEmitter, once } from 'node:events'
import t from 'tap'
import { startHttpApp } from '../support/http-app.js'
import { assertProblem, readAnswer } from '../support/problem-assertions.js'

t.test('while closing, requests in flight finish and later ones go elsewhere', async (t) => {
  const steps = new EventEmitter()
  const { app, url } = await startHttpApp(t, {
    routes: (app) => {
      app.get('/slow', async () => {
        steps.emit('in flight')
        await once(steps, 'finish')
        return 'done'
      })
      app.addHook('preClose', async () => {
        steps.emit('closing')
        await once(steps, 'close')
      })
    }
  })
  const inFlight = once(steps, 'in flight')
  const slow = fetch(`${url}/slow`)
  await inFlight
  const closing = once(steps, 'closing')
  const closed = app.close()
  await closing

  for (const path of ['/slow', '/nothing']) {
    const late = await fetch(`${url}${path}`)
    assertProblem(t, await readAnswer(late), 'SHUTTING_DOWN')
    t.equal(late.headers.get('connection'), 'close')
  }
  steps.emit('finish')
  const answer = await slow
  t.equal(await answer.text(), 'done')
  t.equal(answer.headers.get('connection'), 'close', 'so that nobody waits for the keep-alive')
  steps.emit('close')
  await closed
  await t.rejects(fetch(url))
})
