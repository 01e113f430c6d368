import { expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import type { Respond } from '../../src/demo/scripted-server.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { bearer, postTo, until } from '../support/loop.ts'
import { PROGRAM, run, workplace } from '../support/process.ts'

/** A daemon and the command, each a process of its own, on the same refiner-sync.yaml. */
async function told(
  respond: Respond | null,
  use: (url: string) => Promise<unknown>,
): Promise<{ code: number; output: string }> {
  const segment = startSegmentStandIn({ writeKeys: 'any', ...(respond && { respond }) })
  const refiner = startRefinerStandIn({ apiKeys: 'any' })
  using place = workplace({ segment: segment.url, refiner: refiner.url })
  const file = join(place.folder, 'refiner-sync.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('port: 0', 'port: 0, admin_token: the-admin-token'))
  const daemon = run(PROGRAM, ['serve'], place.folder)
  try {
    const url = await daemon.url()
    await use(url)
    const command = run(PROGRAM, ['doctor', '--url', url], place.folder)
    const code = await command.process.exited
    return { code, output: await command.whole() }
  } finally {
    daemon.process.kill()
    await daemon.process.exited
    await segment.stop()
    await refiner.stop()
  }
}

const PRIVATE = /the-admin-token|acme-(webhook|write|destination|refiner)|user-1042|ada@example|Pricing/

test('as a process it names the header that brings the secret', async () => {
  const { code, output } = await told(null, (url) =>
    postTo(url, '/v1/refiner/acme', completedSurvey(), { 'x-survey-secret': 'acme-webhook-secret' }),
  )
  expect(output).toStartWith('1. acme: webhooks to /v1/refiner/acme are refused with 401')
  expect(output).toContain('{ in: header, name: x-survey-secret }')
  expect([code, PRIVATE.exec(output)]).toEqual([1, null])
})

test('as a process it names the key that Segment refuses', async () => {
  const refusing: Respond = () => Response.json({ message: 'no' }, { status: 401 })
  const { code, output } = await told(refusing, async (url) => {
    await postTo(url, '/v1/refiner/acme', completedSurvey(), bearer('acme-webhook-secret'))
    await until(async () => (await (await fetch(`${url}/health`)).text()).includes('unauthorized'))
  })
  expect(output).toStartWith('1. acme: Segment refuses the key')
  expect(output).toContain('set tenants.acme.segment.write_key')
  expect([code, PRIVATE.exec(output)]).toEqual([1, null])
})
