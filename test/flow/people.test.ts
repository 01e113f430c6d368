import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { ShownProfile, ShownUser } from '../../src/console/shown-user.ts'
import { completedSurvey, withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, type Loop, startLoop, until } from '../support/loop.ts'
import { ADMIN_TOKEN, ask, command } from '../support/operator.ts'

let loop: Loop
beforeAll(async () => {
  loop = await startLoop({ tenants: { acme: {}, globex: {} }, adminToken: ADMIN_TOKEN })
})
afterAll(() => loop[Symbol.asyncDispose]())

const webhook = (body: unknown, tenant = 'acme') =>
  loop.post(`/v1/refiner/${tenant}`, body, bearer(`${tenant}-webhook-secret`))
const segment = (message: object, tenant = 'acme') =>
  loop.post('/v1/segment', message, basic(`${tenant}-destination-key`))
const settled = () =>
  until(() => Object.values(loop.daemon.health().tenants).every((one) => one.pending === 0))
const show = async (id: string, query = '') =>
  (await ask<ShownProfile>(loop, `/api/users/${encodeURIComponent(id)}?${query}`)).body
const list = async (query: string) => (await ask<ShownUser[]>(loop, `/api/users?${query}`)).body
const ids = async (query: string) => (await list(query)).map(({ id }) => id)

test('a profile has what both sides said, and what was answered before the contact was identified', async () => {
  const anonymous = { uuid: 'contact-ada', remote_id: null, email: null, account: null }
  const earlier = {
    completed_at: '2022-10-01T00:00:00.000000Z',
    last_data_reception_at: '2022-10-01T00:00:00.000000Z',
  }
  await webhook(withResponse({ uuid: 'r-early', data: { early: 'yes' }, ...earlier }, anonymous))
  await settled()
  await webhook(completedSurvey({ uuid: 'contact-ada', remote_id: 'ada', email: 'Ada@Example.com' }))
  await segment({ type: 'identify', userId: 'ada', traits: { city: 'Paris', address: { zip: '75001' } } })
  await segment({ type: 'group', userId: 'ada', groupId: 'a-1', traits: { name: 'Analytical' } })
  for (const day of [1, 3, 2]) {
    const timestamp = `2024-01-0${day}T00:00:00.000Z`
    await segment({ type: 'track', userId: 'ada', event: 'Signed Up', timestamp, messageId: `s-${day}` })
  }
  await settled()
  expect(await show('ada')).toMatchObject({
    tenant: 'acme',
    id: 'ada',
    email: 'Ada@Example.com',
    refiner_uuid: 'contact-ada',
    traits: { plan: 'pro', city: 'Paris', address: { zip: '75001' } },
    identifiers: { emails: ['ada@example.com'], uuids: ['contact-ada'], shared: [], complete: true },
    accounts: [{ id: 'a-1', traits: { name: 'Analytical' } }, { id: 'account-7' }],
    events: [
      {
        name: 'Signed Up',
        count: 3,
        first_at: '2024-01-01T00:00:00.000Z',
        last_at: '2024-01-03T00:00:00.000Z',
      },
    ],
    responses: [
      { user_id: 'ada', survey: { name: 'Customer Churn Survey' }, answers: { nps: '9' } },
      { uuid: 'r-early', user_id: null, contact_uuid: 'contact-ada', answers: { early: 'yes' } },
    ],
    last_answered: { user_id: 'ada', answers: { nps: '9' } },
    pending: [],
    dead: [],
    more: [],
  })
  const { code, stdout } = await command(loop, ['users', 'show', 'ada'])
  expect(code).toBe(0)
  for (const text of [
    'Ada@Example.com',
    'city: Paris',
    'a-1',
    'Signed Up: 3 times',
    'early: yes',
    'before the contact was identified',
  ]) {
    expect(stdout).toContain(text)
  }
})

test('responses of a contact stay its own until its uuid, or its email, belongs to a user ID', async () => {
  const body = (over: object) =>
    withResponse({ uuid: 'r-eve', data: { said: 'eve' } }, { account: null, ...over })
  await webhook(body({ uuid: 'contact-eve-0', remote_id: null, email: 'eve@example.com' }))
  await segment({ type: 'identify', userId: 'eve', traits: { email: 'eve@elsewhere.example' } })
  await settled()
  expect(await show('eve')).toMatchObject({ responses: [] })
  await segment({ type: 'identify', userId: 'eve', traits: { email: ' EVE@example.com' } })
  await settled()
  expect(await show('eve')).toMatchObject({ responses: [{ uuid: 'r-eve', answers: { said: 'eve' } }] })
})

test('an email of two user IDs is told, and neither gets what is known by it alone', async () => {
  await webhook(
    withResponse(
      { uuid: 'r-office', data: { said: 'office' } },
      { uuid: 'contact-office', remote_id: null, email: 'office@example.com', account: null },
    ),
  )
  for (const userId of ['o-1', 'o-2']) {
    await segment({ type: 'identify', userId, traits: { email: 'Office@example.com' } })
  }
  await settled()
  const shared = [{ kind: 'email', value: 'office@example.com', user_ids: ['o-1', 'o-2'] }]
  expect(await show('o-1')).toMatchObject({ identifiers: { emails: [], uuids: [], shared }, responses: [] })
  expect((await ask(loop, '/api/conflicts?tenant=acme')).body).toEqual([
    { tenant: 'acme', email: 'office@example.com', users: 2, user_ids: ['o-1', 'o-2'] },
  ])
  expect((await ask(loop, '/api/conflicts?tenant=globex')).body).toEqual([])
  expect((await command(loop, ['users', 'show', 'o-2'])).stdout).toContain(
    '! the email office@example.com belongs to several user IDs: o-1, o-2',
  )
  expect((await command(loop, ['users', 'conflicts', '--tenant', 'acme'])).stdout).toContain('o-1, o-2')
  expect((await ids('email=OFFICE@example.com%20')).toSorted()).toEqual(['o-1', 'o-2'])
})

test('what waits and what was given up is shown with the user', async () => {
  await using other = await startLoop({
    adminToken: ADMIN_TOKEN,
    refiner: ({ body }) => {
      return new Response('{}', { status: JSON.stringify(body).includes('Bad') ? 400 : 503 })
    },
  })
  for (const event of ['Bad', 'Good']) {
    await other.post('/v1/segment', { type: 'track', userId: 'u', event }, basic('acme-destination-key'))
  }
  await until(() => other.daemon.health().tenants['acme']!.dead === 1)
  const { body } = await ask<ShownProfile>(other, '/api/users/u')
  expect(body).toMatchObject({
    pending: [{ destination: 'refiner', call: 'track', state: 'pending' }],
    dead: [{ destination: 'refiner', call: 'track', reason: expect.stringContaining('400') }],
  })
})

describe('without a tenant', () => {
  test('an ID that one tenant alone has is found', async () => {
    await segment({ type: 'identify', userId: 'only-globex', traits: {} }, 'globex')
    await settled()
    expect(await show('only-globex')).toMatchObject({ tenant: 'globex' })
  })

  test('an ID that two have is asked back, with their names', async () => {
    for (const tenant of ['acme', 'globex']) {
      await segment({ type: 'identify', userId: 'twin', traits: { of: tenant } }, tenant)
    }
    await settled()
    const { status, body } = await ask(loop, '/api/users/twin')
    expect(status).toBe(400)
    expect(body).toEqual({ message: 'name the tenant: acme, globex' })
    expect(await show('twin', 'tenant=globex')).toMatchObject({ traits: { of: 'globex' } })
    const shown = await command(loop, ['users', 'show', 'twin'])
    expect(shown).toMatchObject({ code: 1, stderr: 'name the tenant: acme, globex' })
  })

  test('an ID that nobody has is not found', async () => {
    expect((await ask(loop, '/api/users/nobody')).status).toBe(404)
    expect((await ask(loop, '/api/users/nobody?tenant=acme')).status).toBe(404)
    expect((await ask<{ message: string }>(loop, '/api/users/ada?tenant=acmee')).body.message).toBe(
      'there is no tenant acmee; there is acme, globex',
    )
  })
})

test.each<[readonly string[]]>([
  [['deliveries', 'list']],
  [['deliveries', 'replay', '--state', 'dead']],
  [['users', 'list']],
  [['users', 'show', 'ada']],
  [['users', 'conflicts']],
  [['export', '--user', 'ada']],
  [['forget', '--user', 'ada']],
  [['suppress', '--user', 'ada']],
  [['backfill', '--since', '1d']],
  [['backfill', '--since', '1d', '--dry-run']],
  [['segments', 'list']],
  [['tap']],
])('a tenant that there is none of is told by %j, with those that there are', async (args) => {
  const { code, stderr } = await command(loop, [...args, '--tenant', 'acmee'])
  expect(stderr).toBe('there is no tenant acmee; there is acme, globex')
  expect(code).toBe(1)
})

test('nothing of a user is seen by way of another tenant', async () => {
  await webhook(completedSurvey({ uuid: 'same-uuid', remote_id: 'isolated', email: 'same@example.com' }))
  await webhook(completedSurvey({ uuid: 'same-uuid', remote_id: null, email: 'same@example.com' }), 'globex')
  await segment({ type: 'identify', userId: 'isolated', traits: {} }, 'globex')
  await settled()
  expect(await show('isolated', 'tenant=globex')).toMatchObject({
    email: null,
    traits: {},
    identifiers: { emails: [], uuids: [] },
    accounts: [],
    responses: [],
  })
  expect(await ids('tenant=globex&email=same@example.com')).toEqual([])
  expect(await ids('tenant=globex&trait=plan=pro')).toEqual([])
  expect(await ids('tenant=globex&account=account-7')).toEqual([])
  const { stdout } = await command(loop, ['export', '--tenant', 'globex', '--user', 'isolated'])
  expect(stdout).not.toContain('same@example.com')
})

const HOSTILE = [
  'a/b/../c',
  '..',
  '.',
  'export',
  '/',
  'ünïcödé 🦔 用户',
  'with?query=1&x#hash',
  '100%25',
  '%2e%2e',
  'control \u0001\t\n\u001b[31m characters',
  "'; drop table users; --",
  '\u202Eright-to-left',
  '-',
  '__proto__',
  '🦔'.repeat(250),
  'x'.repeat(1000),
]

describe('IDs of any form', () => {
  beforeAll(async () => {
    await segment(HOSTILE.map((userId) => ({ type: 'identify', userId, traits: { own: userId } })))
    await settled()
  })

  test.each(['%', '%E0%A4%A', '%ED%A0%80'])('but no path that is not encoded: %s', async (path) => {
    for (const route of [`/api/users/${path}`, `/api/users/${path}/export`]) {
      const { status, body } = await ask<{ message: string }>(loop, `${route}?tenant=acme`)
      expect(status).toBe(400)
      expect(body.message).toContain('percent-encoded')
    }
  })

  test.each(HOSTILE)('%p', async (id) => {
    const expected = { id, traits: { own: id } }
    if (id !== '.' && id !== '..') expect(await show(id, 'tenant=acme')).toMatchObject(expected)
    const query = new URLSearchParams({ id, tenant: 'acme' }).toString()
    expect((await ask(loop, `/api/user?${query}`)).body).toMatchObject(expected)
    expect((await ask(loop, `/api/user/export?${query}`)).body).toMatchObject({
      user_id: id,
      items: [{ body: { userId: id } }],
    })
    const shown = await command(loop, ['users', 'show', '--tenant', 'acme', '--', id])
    expect(shown.code).toBe(0)
    // oxlint-disable-next-line no-control-regex -- nothing of it may act on a terminal
    expect(shown.stdout).not.toMatch(/[\u0000-\u0008\u001b\u202e]/)
    const exported = await command(loop, ['export', '--tenant', 'acme', `--user=${id}`])
    expect(JSON.parse(exported.stdout)).toMatchObject({ user_id: id, profile: { traits: { own: id } } })
  })
})

describe('the list', () => {
  beforeAll(async () => {
    const users = Array.from({ length: 25 }, (_, n) => ({
      type: 'identify',
      userId: `listed-${n}`,
      traits: {
        n,
        even: n % 2 === 0,
        'dotted.name': `d${n}`,
        deep: { tier: `t${n % 5}` },
        tags: [`a${n}`, 'all'],
        none: null,
      },
    }))
    await segment(users, 'globex')
    await segment({ type: 'group', userId: 'listed-3', groupId: 'team', traits: {} }, 'globex')
    await settled()
  })

  test('is paged, the last to arrive first, each once', async () => {
    const found: string[] = []
    for (let before = ''; ;) {
      const { body, headers } = await ask<ShownUser[]>(
        loop,
        `/api/users?tenant=globex&search=listed-&limit=4${before}`,
      )
      found.push(...body.map(({ id }) => id))
      const next = headers.get('x-next-before')
      if (next === null) break
      before = `&before=${next}`
    }
    expect(found).toEqual(Array.from({ length: 25 }, (_, n) => `listed-${24 - n}`))
  })

  test.each([
    ['trait=n=7', ['listed-7']],
    ['trait=even=true&search=ED-2', ['listed-24', 'listed-22', 'listed-20', 'listed-2']],
    ['trait=deep.tier=t4&search=listed-1', ['listed-19', 'listed-14']],
    ['trait=dotted.name=d11', ['listed-11']],
    ['trait=tags=a5', ['listed-5']],
    ['trait=none=null&search=listed-13', ['listed-13']],
    ['trait=n=07', []],
    ['trait=nothing=x', []],
    ['account=team', ['listed-3']],
    ['account=team&trait=n=4', []],
    ['email=nobody@example.com', []],
    ['email=no%20email', []],
    ['search=%25', []],
  ])('is narrowed down: %s', async (query, expected) => {
    expect(await ids(`tenant=globex&${query}`)).toEqual(expected)
  })

  test.each(['trait=plan', 'trait==pro', 'before=x', 'tenent=acme', 'tenant=a&tenant=b', 'state=dead'])(
    'refuses what it does not understand: %s',
    async (query) => {
      expect((await ask(loop, `/api/users?${query}`)).status).toBe(400)
    },
  )

  test('is printed for people and for programs', async () => {
    const args = ['users', 'list', '--tenant', 'globex', '--trait', 'n=7']
    expect((await command(loop, args)).stdout).toContain('listed-7')
    expect(JSON.parse((await command(loop, [...args, '--json'])).stdout)).toMatchObject([{ id: 'listed-7' }])
    expect((await command(loop, ['users', 'list', '--search', 'zzz'])).stdout).toBe('no users')
    const page = await command(loop, ['users', 'list', '--search', 'listed-', '--limit', '2'])
    expect(page.stderr).toContain('--before')
  })
})

describe.each([
  '/api/users',
  '/api/users/ada',
  '/api/users/ada/export',
  '/api/user?id=ada',
  '/api/user/export?id=ada',
  '/api/conflicts?tenant=acme',
])('%s', (path) => {
  test.each([
    ['no token', {}],
    ['a wrong one', bearer('the-admin-tokem')],
    ['a destination key', basic('acme-destination-key')],
  ])('stays closed to %s', async (_, headers) => {
    const response = await fetch(loop.daemon.url + path, { headers })
    expect(response.status).toBe(401)
    expect(await response.text()).not.toContain('ada')
  })

  test('opens to the admin token, and is kept by nobody in between', async () => {
    const { status, headers } = await ask(loop, path)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
  })
})
