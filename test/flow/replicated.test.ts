import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { bearer, deadline, startLoop, until } from '../support/loop.ts'
import { run } from '../support/process.ts'

/** How Litestream treats a database: one who reads it throughout, and checkpoints and locks now and then. */
test('beside one who reads the -wal all the time, everything goes on, also a stop and a start', async () => {
  await using loop = await startLoop()
  const { path } = loop.configuration.database
  const program = join(import.meta.dir, '..', 'programs', 'long-reader.ts')
  const reader = run([process.execPath, program], [path], join(path, '..'))
  try {
    await until(() => reader.output().includes('reading'))
    const send = async (from: number) => {
      for (let index = from; index < from + 100; index++) {
        const body = completedSurvey({ remote_id: `user-${index}` })
        expect((await loop.post('/v1/refiner/acme', body, bearer('acme-webhook-secret'))).status).toBe(200)
      }
      const rounds = reader.output().length
      await until(() => reader.output().length > rounds)
      await loop.segment.until((messages) => messages.length === 3 * (from + 100), deadline())
    }
    await send(0)
    await loop.restart()
    await send(100)
    expect(loop.daemon.health()).toMatchObject({ status: 'ok', database: { status: 'ok' } })
  } finally {
    reader.process.kill('SIGKILL')
    await reader.process.exited
  }
})
