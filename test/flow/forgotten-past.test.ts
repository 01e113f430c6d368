import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { ShownBackfill } from '../../src/console/backfills.ts'
import { keptLog, type Loop, until } from '../support/loop.ts'
import { ADMIN_TOKEN, command } from '../support/operator.ts'
import {
  knownBy,
  MINUTE,
  nextPoll,
  polling,
  postWebhook,
  response,
  settled,
  startPolled,
} from '../support/polling.ts'

const ADA = ['contact-ada', 'ada@example.com', 'said-by-ada']
const named = (id: string, completedMs: number, user: string) => {
  const { item, webhook } = response(`of-${user}-${id}`, completedMs, user)
  return { webhook, item: { ...item, data: { ...item.data, comment: `said-by-${user}` } } }
}

async function run(loop: Loop, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(loop, args)
  expect(`${code} ${stderr}`).toBe('0 ')
  return stdout
}

async function backfill(loop: Loop, ...args: string[]): Promise<ShownBackfill> {
  const { code, stdout } = await command(loop, ['backfill', '--tenant', 'acme', '--json', ...args])
  expect(code).toBe(0)
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as ShownBackfill
}

/** What of these texts is in the database. */
function leftIn(loop: Loop, texts: readonly string[]): string[] {
  const { path } = loop.configuration.database
  const bytes = [path, `${path}-wal`].map((file) => readFileSync(file))
  return texts.filter((text) => bytes.some((one) => one.includes(text)))
}

const bySurvey = (loop: Loop, user: string) =>
  loop.segment.messages.filter(({ message }) => JSON.stringify(message).includes(`said-by-${user}`))

test('neither polling nor a backfill brings back anything of who was forgotten, in whatever way', async () => {
  const { log, lines } = keptLog()
  // Before the first poll, after it, and after she was forgotten.
  const ofAda = [-9 * MINUTE, MINUTE, 7 * MINUTE].map((at, n) => named(String(n), at, 'ada'))
  const ofBob = [-8 * MINUTE, 8 * MINUTE].map((at, n) => named(String(n), at, 'bob'))
  const items = [...ofAda, ...ofBob].map(({ item }) => item)
  const contacts = items.map(({ contact }) => ({
    ...contact,
    attributes: { note: `said-by-${contact.remote_id}` },
  }))
  await using loop = await startPolled((clock) => ({
    adminToken: ADMIN_TOKEN,
    log,
    refiner: knownBy(clock, items, { contacts }),
  }))
  await nextPoll(loop)
  await settled(loop)
  // It was missed: she is known by the second one.
  expect(bySurvey(loop, 'ada').length).toBe(2)

  await run(loop, 'forget', '--tenant', 'acme', '--user', 'ada')
  const swept = async () =>
    !(await run(loop, 'receipts', 'list', '--json')).includes('"overwritten_at": null')
  await until(async () => {
    loop.clock.pass(1000)
    return swept()
  })
  expect(leftIn(loop, ADA)).toEqual([])
  lines.length = 0
  const { missed_by_webhook } = polling(loop)
  const sentOfAda = bySurvey(loop, 'ada').length

  await nextPoll(loop)
  // The last days, too.
  loop.clock.shift(13 * 60 * MINUTE)
  await nextPoll(loop)
  await settled(loop)
  expect(bySurvey(loop, 'bob').length).toBe(2)
  expect(polling(loop).missed_by_webhook).toBe(missed_by_webhook + 1)

  const dry = await run(loop, 'backfill', '--tenant', 'acme', '--since', '30d', '--dry-run')
  expect(ADA.filter((text) => dry.includes(text))).toEqual([])
  const kept = await backfill(loop, '--since', '30d', '--contacts', '--store-only')
  expect(kept.counts).toMatchObject({ read: 5, forgotten: 3, contacts: 5 })
  const sent = await backfill(loop, '--since', '30d')
  expect(sent.counts).toMatchObject({ read: 5, forgotten: 3 })
  await loop.restart()
  await nextPoll(loop)
  await settled(loop)
  expect(bySurvey(loop, 'ada')).toHaveLength(sentOfAda)
  expect(bySurvey(loop, 'bob').length).toBe(4)
  expect(leftIn(loop, ADA)).toEqual([])
  expect(
    [...lines, JSON.stringify(loop.daemon.health())].filter((line) =>
      ADA.some((text) => line.includes(text)),
    ),
  ).toEqual([])
})

test('who is forgotten while a page lies ready is not brought over with the rest of it', async () => {
  const items = Array.from({ length: 60 }, (_, n) =>
    named(String(n), (n - 100) * MINUTE, n < 3 || n % 2 === 0 ? 'bob' : 'ada'),
  ).map(({ item }) => item)
  await using loop = await startPolled((clock) => ({
    adminToken: ADMIN_TOKEN,
    refiner: knownBy(clock, items),
  }))
  const begun = backfill(loop, '--since', '30d', '--rate', '20')
  await until(() => (loop.daemon.health().tenants['acme']!.backfill?.responses.taken ?? 0) >= 6)
  await run(loop, 'forget', '--tenant', 'acme', '--user', 'ada')
  const sentOfAda = bySurvey(loop, 'ada').length
  await until(() => {
    loop.clock.pass(100)
    return loop.daemon.health().tenants['acme']!.backfill?.state === 'done'
  })
  const { counts } = await begun
  expect(counts.read).toBe(60)
  expect(counts.forgotten).toBeGreaterThan(20)
  await settled(loop)
  // Two messages of one response may have been under way.
  expect(bySurvey(loop, 'ada').length).toBeLessThanOrEqual(sentOfAda + 2)
  using sqlite = new Database(loop.configuration.database.path, { readonly: true })
  const of = `select count(*) as count from inbox where payload like '%said-by-ada%'`
  expect(sqlite.query(of).get()).toEqual({ count: 0 })
})

test('who is suppressed is neither fetched nor brought over, until that is lifted', async () => {
  const [before, lost] = [named('before', -MINUTE, 'ada'), named('lost', MINUTE, 'ada')]
  await using loop = await startPolled((clock) => ({
    adminToken: ADMIN_TOKEN,
    refiner: knownBy(clock, [before.item, lost.item]),
  }))
  await postWebhook(loop, named('known', -2 * MINUTE, 'bob').webhook)
  await run(loop, 'suppress', '--tenant', 'acme', '--user', 'ada')
  await nextPoll(loop)
  expect((await backfill(loop, '--since', '30d')).counts).toMatchObject({ read: 2, forgotten: 2, taken: 0 })
  await settled(loop)
  expect(bySurvey(loop, 'ada')).toEqual([])
  expect(polling(loop).missed_by_webhook).toBe(0)

  await run(loop, 'unsuppress', '--tenant', 'acme', '--user', 'ada')
  await nextPoll(loop)
  expect((await backfill(loop, '--since', '30d')).counts).toMatchObject({ read: 2, forgotten: 0 })
  await settled(loop)
  expect(bySurvey(loop, 'ada')).toHaveLength(4)
})
