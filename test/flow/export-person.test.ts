import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { completedSurvey, withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, deadline, type Loop, startLoop, until } from '../support/loop.ts'
import { ADMIN_TOKEN, ask, command } from '../support/operator.ts'
import { definition } from '../support/segments.ts'

/** Everything by which the person may be mentioned; each is said nowhere but by and of them. */
const ADA = ['ada-1042', 'ada@example.com', 'contact-ada', 'cookie-ada', 'said by ada'] as const

/** Where rows mention somebody, as `table column`, without what only leads to them. */
interface Mention {
  readonly table: string
  readonly row: Record<string, unknown>
}

function mentions(path: string, words: readonly string[]): Mention[] {
  using sqlite = new Database(path, { readonly: true })
  const tables = sqlite
    .query<{ name: string }, []>(
      `select name from sqlite_master where type = 'table' and name not like 'sqlite_%'`,
    )
    .all()
  return tables.flatMap(({ name }) => {
    const rows = sqlite.query<Record<string, unknown>, []>(`select * from "${name}"`).all()
    return rows
      .filter((row) => words.some((word) => JSON.stringify(row).toLowerCase().includes(word)))
      .map((row) => ({ table: name, row }))
  })
}

interface Exported {
  readonly profile: { readonly email: string } | null
  readonly accounts: readonly { readonly id: string }[]
  readonly events: readonly { readonly name: string }[]
  readonly segments: readonly { readonly name: string }[]
  readonly responses: readonly { readonly uuid: string }[]
  readonly identities: readonly { readonly value: string }[]
  readonly items: readonly {
    readonly id: number
    readonly body: unknown
    readonly deliveries: readonly ExportedDelivery[]
    readonly replays: readonly { readonly replay: number; readonly delivery: number }[]
    readonly response?: { readonly uuid: string }
  }[]
  readonly deliveries: readonly (ExportedDelivery & Pick<Exported['items'][number], 'replays'>)[]
  readonly replays: readonly { readonly replay: number }[]
}

interface ExportedDelivery {
  readonly id: number
  readonly failed_attempts: readonly { readonly number: number }[]
}

/** Whether the export has the row, by what tells it from the others. Fails for a table that it does not know. */
function has(exported: Exported, { table, row }: Mention): boolean {
  const deliveries = [...exported.items.flatMap((item) => item.deliveries), ...exported.deliveries]
  const responses = [...exported.responses, ...exported.items.flatMap((item) => item.response ?? [])]
  switch (table) {
    case 'users':
      return exported.profile?.email === row['email']
    case 'memberships':
    case 'accounts':
      return exported.accounts.some(({ id }) => id === row['account_id'])
    case 'user_events':
      return exported.events.some(({ name }) => name === row['name'])
    case 'segment_members':
      return exported.segments.length === 1
    case 'responses':
      return responses.some(({ uuid }) => uuid === row['response_uuid'])
    case 'identities':
    case 'contact_identities':
      return exported.identities.some(({ value }) => value === row['value'])
    case 'inbox':
      return exported.items.some(({ id }) => id === row['id'])
    case 'outbox':
      return deliveries.some(({ id }) => id === row['id'])
    case 'attempts':
      return deliveries.some(
        ({ id, failed_attempts }) => id === row['delivery_id'] && failed_attempts.length > 0,
      )
    case 'replays':
      return exported.replays.some(({ replay }) => replay === row['id'])
    case 'replayed':
      return [...exported.items, ...exported.deliveries].some(({ replays }) =>
        replays.some(({ replay }) => replay === row['replay_id']),
      )
    default:
      throw new Error(`the export does not know the table ${table}, which mentions people`)
  }
}

const webhook = (loop: Loop, body: unknown, tenant = 'acme') =>
  loop.post(`/v1/refiner/${tenant}`, body, bearer(`${tenant}-webhook-secret`))
const segment = (loop: Loop, message: object, tenant = 'acme') =>
  loop.post('/v1/segment', message, basic(`${tenant}-destination-key`))
const mapped = (loop: Loop, items: number) =>
  until(() => {
    using sqlite = new Database(loop.configuration.database.path, { readonly: true })
    const [row] = sqlite
      .query<{ n: number }, []>(`select count(*) as n from inbox where state = 'mapped'`)
      .all()
    return row!.n === items
  })

/** As Refiner words them: the webhooks of PHP have their slashes and all that is not ASCII escaped. */
const escaped = (body: unknown) =>
  JSON.stringify(body).replaceAll('/', '\\/').replaceAll('@', '\\u0040').replaceAll('-', '\\u002d')

const refuses = ({ body }: { readonly body: unknown }) => {
  const isRefused = JSON.stringify(body).includes('Refused')
  return isRefused ? new Response('said by ada, it says', { status: 400 }) : null
}

test('an export has every row of every table that mentions the person, and of nobody else', async () => {
  await using loop = await startLoop({
    tenants: {
      acme: {
        toSegment: { anonymous: 'anonymous_id' },
        segments: [definition('everybody', 'true')],
      },
      globex: {},
    },
    adminToken: ADMIN_TOKEN,
    refiner: refuses,
  })
  const said = (uuid: string) => ({ uuid, data: { what: 'said by ada' } })
  const nobody = { remote_id: null, account: null, email: null }
  // While she was anonymous: by uuid, by cookie, by email alone, with neither uuid nor user ID.
  await webhook(
    loop,
    withResponse(said('r-1'), { ...nobody, uuid: 'contact-ada-0', email: 'Ada@example.com' }),
  )
  await webhook(
    loop,
    escaped(withResponse(said('r-2'), { ...nobody, uuid: null, cookie_uuid: 'cookie-ada' })),
  )
  await webhook(loop, withResponse(said('r-3'), { ...nobody, uuid: null, email: ' ADA@example.com' }))
  const ada = {
    uuid: 'contact-ada',
    cookie_uuid: 'cookie-ada',
    remote_id: 'ada-1042',
    email: 'ada@example.com',
  }
  await webhook(loop, escaped(withResponse(said('r-4'), ada)))
  await webhook(loop, { ...completedSurvey(ada), triggered_event: 'said by ada' })
  await segment(loop, {
    type: 'identify',
    userId: 'ada-1042',
    traits: { note: 'said by ada', email: 'ada@example.com' },
  })
  await segment(loop, { type: 'group', userId: 'ada-1042', groupId: 'ada-1042-account', traits: {} })
  await segment(loop, { type: 'track', userId: 'ada-1042', event: 'Refused', messageId: 'refused' })
  // Others, who are not to be seen in it: in the same account, in another tenant, with a user ID that begins alike.
  const bob = { uuid: 'contact-bob', remote_id: 'bob', email: 'bob@example.com' }
  await webhook(loop, withResponse({ uuid: 'r-bob', data: { what: 'said by bob' } }, bob))
  await webhook(
    loop,
    withResponse({ uuid: 'r-twin', data: { what: 'said by twin' } }, { ...ada, email: 'twin@example.com' }),
    'globex',
  )
  await segment(loop, { type: 'identify', userId: 'ada', traits: { note: 'said by bob' } })
  await mapped(loop, 11)
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  expect((await command(loop, ['deliveries', 'replay', '--state', 'dead', '--user', 'ada-1042'])).code).toBe(
    0,
  )
  await until(() => loop.daemon.health().tenants['acme']!.dead === 1)

  const path = loop.configuration.database.path
  const { code, stdout, stderr } = await command(loop, ['export', '--tenant', 'acme', '--user', 'ada-1042'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const exported = JSON.parse(stdout) as Exported
  const found = mentions(path, ADA).filter(({ row }) => row['tenant'] !== 'globex')
  const tables = new Set(found.map(({ table }) => table))
  expect(found.filter((mention) => !has(exported, mention))).toEqual([])
  for (const table of [
    'users',
    'memberships',
    'user_events',
    'segment_members',
    'responses',
    'inbox',
    'outbox',
    'attempts',
    'replays',
    'identities',
    'contact_identities',
  ]) {
    expect([...tables]).toContain(table)
  }
  expect(exported.items.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(exported.items[7]).toMatchObject({
    deliveries: [{ state: 'dead', failed_attempts: [{ status: 400 }, { status: 400 }] }],
    replays: [{ how: 'resent' }],
  })
  expect(stdout).not.toMatch(/bob|twin|globex/)
})

test("what a rule sends to somebody because of what another said is that one's, too", async () => {
  await using loop = await startLoop({ adminToken: ADMIN_TOKEN })
  await webhook(loop, completedSurvey({ remote_id: 'bob' }))
  await loop.segment.until((messages) => messages.length === 3, deadline())
  const sqlite = new Database(loop.configuration.database.path)
  sqlite.run(`update outbox set user_key = 'ada-1042' where call = 'track'`)
  sqlite.close()
  const { body } = await ask<Exported>(loop, '/api/users/ada-1042/export')
  expect(body).toMatchObject({
    profile: null,
    items: [],
    deliveries: [{ call: 'track', user_key: 'ada-1042' }],
  })
})

test('an export that comes in many answers is whole', async () => {
  await using loop = await startLoop({ adminToken: ADMIN_TOKEN })
  const long = 'x'.repeat(30_000)
  const messages = Array.from({ length: 170 }, (_, n) => {
    const userId = n % 10 === 0 ? 'bob' : 'ada-1042'
    return { type: 'track', userId, event: `Event ${n}`, properties: { long, n }, messageId: `m-${n}` }
  })
  for (let at = 0; at < messages.length; at += 30) await segment(loop, messages.slice(at, at + 30))
  await mapped(loop, 170)
  const first = await ask<Exported & { next: string | null }>(loop, '/api/users/ada-1042/export')
  expect(first.body.next).not.toBeNull()
  const { stdout } = await command(loop, ['export', '--user', 'ada-1042'])
  const exported = JSON.parse(stdout) as Exported
  const mine = messages.filter(({ userId }) => userId === 'ada-1042')
  expect(exported.items.map(({ body }) => body)).toMatchObject(mine.map(({ messageId }) => ({ messageId })))
  expect(exported.events).toHaveLength(153)
})

test('somebody who was never identified is exported by email or uuid', async () => {
  await using loop = await startLoop({ adminToken: ADMIN_TOKEN })
  const body = { remote_id: null, uuid: 'contact-eve', email: 'eve@example.com', account: null }
  await webhook(loop, withResponse({ uuid: 'r-eve', data: { what: 'eve' } }, body))
  await mapped(loop, 1)
  for (const how of ['--email=EVE@example.com', '--uuid=contact-eve']) {
    const { stdout } = await command(loop, ['export', how])
    expect(JSON.parse(stdout)).toMatchObject({
      user_id: null,
      emails: ['eve@example.com'],
      uuids: ['contact-eve'],
      responses: [{ uuid: 'r-eve' }],
      items: [{ id: 1 }],
    })
  }
})

test('an email of several users is not exported as one person', async () => {
  await using loop = await startLoop({ adminToken: ADMIN_TOKEN })
  for (const userId of ['o-1', 'o-2']) {
    await segment(loop, { type: 'identify', userId, traits: { email: 'office@example.com' } })
  }
  await mapped(loop, 2)
  const { code, stdout, stderr } = await command(loop, ['export', '--email', 'office@example.com'])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('o-1, o-2')
})

test('of whom nothing is kept the export says so', async () => {
  await using loop = await startLoop({ adminToken: ADMIN_TOKEN })
  const { code, stdout, stderr } = await command(loop, ['export', '--tenant', 'acme', '--user', 'nobody'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'nothing is kept of that person' })
  expect(JSON.parse(stdout)).toMatchObject({ user_id: 'nobody', profile: null, items: [], replays: [] })
  expect((await command(loop, ['export', '--tenant', 'acmee', '--user', 'nobody'])).code).toBe(1)
  expect((await command(loop, ['export', '--tenant', 'acme'])).code).toBe(2)
})

test('an export does not go on where it never was', async () => {
  await using loop = await startLoop({ adminToken: ADMIN_TOKEN })
  const written = ['["outbox",1]', '["items",{}]', '["items",0.5]', 'null', '[]'].map((text) => btoa(text))
  for (const next of ['x', '', ...written]) {
    expect((await ask(loop, `/api/users/ada/export?next=${encodeURIComponent(next)}`)).status).toBe(400)
  }
})
