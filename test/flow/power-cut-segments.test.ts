import { expect, test } from 'bun:test'
import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { compiler, faultyDisk } from '../support/faulty-disk.ts'
import { basic, deadline, postTo } from '../support/loop.ts'
import { FROM_SOURCE, run, workplace } from '../support/process.ts'

const USERS = Array.from({ length: 20 }, (_, n) => `user-${n}`)
const SEGMENTS = `
    segments:
      - { name: pros, when: traits.plan == "pro", refiner_segment: manual, to_segment: { entered: Entered, left: Left } }
`

if (compiler() === null) {
  console.warn('power cuts are NOT tested with segments: this needs a C compiler on Linux')
} else {
  test('what was told of a segment is known after a power cut: who leaves then is told of, and in turn', async () => {
    const segment = startSegmentStandIn({ writeKeys: 'any' })
    const refiner = startRefinerStandIn({ apiKeys: 'any' })
    using place = workplace({ segment: `${segment.url}/v1`, refiner: `${refiner.url}/v1` })
    const file = join(place.folder, 'refiner-sync.yaml')
    writeFileSync(file, readFileSync(file, 'utf8') + SEGMENTS)
    using disk = faultyDisk(join(realpathSync(place.folder), 'data', 'refiner-sync.db'))
    let daemon = run(FROM_SOURCE, ['serve'], place.folder, disk.env)
    const plans = async (plan: string) => {
      const batch = USERS.map((userId) => ({
        type: 'identify',
        userId,
        messageId: `${userId}-${plan}`,
        traits: { plan },
      }))
      const answer = await postTo(await daemon.url(), '/v1/batch', { batch }, basic('acme-destination-key'))
      expect(answer.status).toBe(200)
    }
    const told = (userId: string) => {
      const events = segment.messages
        .map(({ message }) => message)
        .filter((message) => message['userId'] === userId)
        .map(({ messageId, event }) => [messageId, event] as const)
      return [...new Map(events).values()]
    }
    try {
      await plans('pro')
      await segment.until(() => USERS.some((userId) => told(userId).length === 1), deadline())
      daemon.process.kill('SIGKILL')
      await daemon.process.exited
      disk.powerCut()
      daemon = run(FROM_SOURCE, ['serve'], place.folder, disk.env)
      const before = USERS.filter((userId) => told(userId).length === 1)
      await plans('free')
      await segment.until(() => before.every((userId) => told(userId).length === 2), deadline())
      const calls = (userId: string) =>
        refiner.calls.flatMap(({ path, method, body }) =>
          path === '/v1/sync-segment' && body['id'] === userId ? [method] : [],
        )
      await refiner.until(() => before.every((userId) => calls(userId).at(-1) === 'DELETE'), deadline())
      for (const userId of before) expect([userId, told(userId)]).toEqual([userId, ['Entered', 'Left']])
    } finally {
      daemon.process.kill('SIGKILL')
      await daemon.process.exited
      await segment.stop()
      await refiner.stop()
    }
  }, 60_000)
}
