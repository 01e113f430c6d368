import { expect, test } from 'bun:test'
import type { RefusedFacts, SampleFacts } from '../../src/contracts/diagnosis.ts'
import { diagnose } from '../../src/doctor/diagnose.ts'
import { type Changes, daysAgo, factsWith, UNUSED } from '../support/facts.ts'

const error = (message: string) => ({ at: daysAgo(0.01), message })
const refused = (over: Partial<RefusedFacts>): Pick<Changes, 'facts'> => {
  const carried = { headers: [], authorization: null, query: [] }
  const one = {
    tenant: 'acme',
    route: '/v1/refiner/:tenant',
    status: 401,
    times: 7,
    last: daysAgo(0.01),
    carried,
  }
  return { facts: { intake: { accepted: [], refused: [{ ...one, ...over }] } } }
}
const sample = (
  items: number,
  outcome: Partial<SampleFacts['outcomes'][number]>,
  note?: string,
): SampleFacts => {
  const outcomes = [{ state: 'delivered' as const, reason: null, items, ...outcome }]
  return { items, outcomes, notes: note === undefined ? [] : [{ text: note, items }] }
}
const came = (webhook: number | null, poll: number | null, sampled = sample(5, {})) => {
  const arrival = (days: number | null) => ({
    last: days === null ? null : daysAgo(days),
    last_7_days: days === null || days > 7 ? 0 : 9,
  })
  const by_origin = { webhook: arrival(webhook), poll: arrival(poll), backfill: arrival(null) }
  return { ever: true, by_origin, sample: sampled }
}
const ids = (refiner: [string, number], segment: [string, number], loosely = 0, complete = true) => ({
  refiner: { ids: refiner[1], shapes: [{ shape: refiner[0], ids: refiner[1] }] },
  segment: { ids: segment[1], shapes: [{ shape: segment[0], ids: segment[1] }] },
  shared: 0,
  shared_loosely: loosely,
  complete,
})
const down = { state: 'open' as const, pending: 12 }

/** Broken set-ups: the first cause that is named, and what must be said. */
const BROKEN: readonly [what: string, changes: Changes, cause: string, said: readonly string[]][] = [
  [
    'no webhook for days, while polling finds',
    { tenant: { from_refiner: came(6, 0.1) } },
    'webhook_silent',
    ['6 days'],
  ],
  ['polling alone finds', { tenant: { from_refiner: came(null, 0.1) } }, 'webhook_silent', ['9 responses']],
  [
    'no webhook ever',
    { tenant: { from_refiner: UNUSED } },
    'webhook_never',
    ['https://YOUR-HOST/v1/refiner/acme'],
  ],
  [
    'webhooks to a name that no tenant has',
    { tenant: { from_refiner: UNUSED }, ...refused({ tenant: null }) },
    'webhook_never',
    ['a name that no tenant has'],
  ],
  [
    'the secret in another header',
    {
      settings: { webhook: { in: 'header', name: 'X-Refiner-Secret' } },
      ...refused({ carried: { headers: ['x-webhook-token'], authorization: null, query: [] } }),
    },
    'webhook_refused',
    ['in the header X-Refiner-Secret', '{ in: header, name: x-webhook-token }', 'if none is'],
  ],
  [
    'another secret',
    refused({ carried: { headers: [], authorization: 'bearer', query: [] } }),
    'webhook_refused',
    ['it is another secret', 'refiner.webhook.secret'],
  ],
  ['no secret', refused({}), 'webhook_refused', ['no secret at all']],
  [
    'a signature that is not looked for',
    refused({ carried: { headers: ['x-hub-signature'], authorization: null, query: [] } }),
    'webhook_refused',
    ['{ in: hmac, name: x-hub-signature }'],
  ],
  [
    'a signature of another secret',
    {
      settings: { webhook: { in: 'hmac', name: 'X-Refiner-Signature' } },
      ...refused({ carried: { headers: ['x-refiner-signature'], authorization: null, query: [] } }),
    },
    'webhook_refused',
    ['algorithm and encoding'],
  ],
  [
    'user IDs of other shapes',
    { tenant: { user_ids: ids(['email-like', 80], ['uuid', 90]) } },
    'user_ids_differ',
    ['email-like × 80', 'uuid × 90', 'not one is the same'],
  ],
  [
    'user IDs but for a prefix',
    { tenant: { user_ids: ids(['user_digits(4)', 80], ['digits(4)', 90], 75) } },
    'user_ids_differ',
    ['75 of them would be the same'],
  ],
  [
    'other user IDs of the same shape',
    { tenant: { user_ids: ids(['uuid', 400], ['uuid', 400]) } },
    'user_ids_differ',
    ['not one is the same'],
  ],
  [
    "Segment's key refused",
    {
      segment: {
        state: 'unauthorized',
        pending: 3,
        last_error: error('api.segment.io answered 401: check the key'),
      },
    },
    'key_refused',
    ['tenants.acme.segment.write_key', 'segment.region'],
  ],
  [
    "Refiner's key refused",
    { refiner: { state: 'unauthorized', last_error: error('api.refiner.io answered 403: check the key') } },
    'key_refused',
    ['tenants.acme.refiner.api_key'],
  ],
  [
    'a key that polling finds refused',
    {
      polling: {
        last_success: daysAgo(3),
        last_error: error('api.refiner.io answered 401: check the key in refiner-sync.yaml'),
        missed_by_webhook: 0,
        last_missed: null,
      },
    },
    'key_refused',
    ['responses cannot be fetched', 'tenants.acme.refiner.api_key'],
  ],
  [
    'a host that is not found',
    { segment: { ...down, last_error: error('no connection to api.segment.oi: ENOTFOUND') } },
    'destination_unreachable',
    ['its name is not found (DNS)'],
  ],
  [
    'a certificate that is not trusted',
    { segment: { ...down, last_error: error('no connection to api.segment.io: CERT_HAS_EXPIRED') } },
    'destination_unreachable',
    ['its certificate is not trusted'],
  ],
  [
    'the host of another region',
    {
      settings: { segment_endpoint: 'https://eu.segment.example/v1' },
      segment: {
        ...down,
        last_error: error('eu.segment.example answered 404: check the endpoint in refiner-sync.yaml'),
      },
    },
    'destination_unreachable',
    ['segment.region'],
  ],
  [
    'the same refusal again and again',
    {
      tenant: {
        dead: [
          {
            destination: 'refiner',
            reason: 'api.refiner.io answered 422',
            deliveries: 31,
            last: daysAgo(1),
            example: 77,
          },
        ],
      },
    },
    'dead_deliveries',
    [
      'deliveries show 77',
      `replay --state dead --tenant acme --destination refiner --error 'api.refiner.io answered 422'`,
    ],
  ],
  [
    'a clock that is ahead',
    { tenant: { clock_ahead_ms: { segment: 3 * 3_600_000, refiner: null } } },
    'clocks_apart',
    ["3 hours ahead of Segment's", 'timedatectl'],
  ],
  [
    'a clock of Segment, or of a proxy, that no other agrees with',
    { tenant: { clock_ahead_ms: { segment: 3 * 3_600_000, refiner: 100 } } },
    'clocks_apart',
    ["it agrees with Refiner's, though", 'a proxy'],
  ],
  [
    'contacts without user IDs',
    {
      tenant: {
        from_refiner: came(
          0.1,
          null,
          sample(40, {
            state: 'skipped',
            reason: 'the contact has no user ID (to_segment.anonymous: skip)',
            items: 39,
          }),
        ),
      },
    },
    'all_anonymous',
    ['39 of the newest 40', 'to_segment.anonymous'],
  ],
  [
    'a full backlog',
    {
      facts: { full: [{ tenant: 'acme', source: 'refiner_webhook' as const }] },
      segment: { pending: 5_000_000 },
    },
    'nothing_taken',
    ['turned away with 503', 'server.max_pending'],
  ],
  ['a disk that is nearly full', { facts: { disk_free_bytes: 5_000_000 } }, 'nothing_taken', ['4 MB']],
  [
    'a disk that is full',
    { facts: { unread: 'the disk is full (SQLITE_FULL)' } },
    'nothing_taken',
    ['make room'],
  ],
  [
    'a change that is wrong',
    {
      configuration: {
        status: 'rejected',
        mistakes: 3,
        first_mistake: { file: 'refiner-sync.yaml', line: 4, column: 7, message: 'unknown key' },
      },
    },
    'configuration_not_in_force',
    ['refiner-sync.yaml:4:7: unknown key (and 2 more)', 'refiner-sync check'],
  ],
  [
    'a change that needs a restart',
    { configuration: { needs_restart: ['server.port'] } },
    'configuration_not_in_force',
    ['server.port', 'restart'],
  ],
  [
    'a database that cannot be read',
    { facts: { unread: 'the file is damaged' } },
    'nothing_taken',
    ['verify'],
  ],
  [
    'a rule that always fails',
    { tenant: { from_refiner: came(0.1, null, sample(30, {}, 'rule nps: there is no `answers.nps`')) } },
    'always_fails',
    ['rule nps', 'refiner-sync try'],
  ],
  [
    'a plugin that always fails',
    {
      tenant: {
        from_refiner: came(0.1, null, sample(30, { state: 'dead', reason: 'plugin nps: TypeError' })),
      },
    },
    'always_fails',
    ['plugin nps: TypeError', '--remap'],
  ],
  [
    'a filter that leaves out everything',
    {
      settings: { surveys: { include: ['nps*'], exclude: [] } },
      tenant: {
        from_refiner: came(
          0.1,
          null,
          sample(9, { state: 'skipped', reason: 'the survey is left out by to_segment.surveys' }),
        ),
      },
    },
    'everything_left_out',
    ['include: ["nps*"]'],
  ],
  [
    'a direction that is switched off',
    { settings: { to_segment: false }, ...refused({ status: 403 }) },
    'everything_left_out',
    ['tenants.acme.to_segment.enabled is false'],
  ],
  [
    'a tenant that is switched off',
    { settings: { enabled: false }, ...refused({ status: 403 }) },
    'everything_left_out',
    ['tenants.acme.enabled is false'],
  ],
  [
    'a destination that is not used',
    { tenant: { from_segment: UNUSED } },
    'destination_unused',
    ['/v1/segment/acme'],
  ],
  [
    "Segment with a key that is nobody's",
    {
      tenant: { from_segment: UNUSED },
      ...refused({
        tenant: null,
        route: '/v1/segment',
        carried: { headers: [], authorization: 'basic', query: [] },
      }),
    },
    'destination_unused',
    ['destination_keys'],
  ],
  [
    'a URL for Segment that somebody calls without a key',
    { tenant: { from_segment: UNUSED }, ...refused({ tenant: null, route: '/v1/segment' }) },
    'destination_unused',
    ['nothing is kept that came from Segment'],
  ],
  [
    'Segment with pages only',
    { tenant: { from_segment: UNUSED }, ...refused({ route: '/v1/segment', status: 501 }) },
    'destination_unused',
    ['to_refiner.pages'],
  ],
]

test.each(BROKEN)('%s', (_, changes, cause, said) => {
  const findings = diagnose(factsWith(changes))
  expect(findings.map((finding) => finding.cause)).toEqual([cause])
  const [{ tenant, problem, evidence, advice }] = findings as [(typeof findings)[number]]
  const text = [problem, ...evidence, ...advice].join('\n')
  for (const part of said) expect(text).toContain(part)
  expect(advice.length).toBeGreaterThan(0)
  expect(tenant === null || tenant === 'acme').toBe(true)
})

/** Set-ups that look odd, and are well. */
const WELL: readonly [what: string, changes: Changes][] = [
  ['all as it should be', {}],
  [
    'polling found what came while the webhook was away for an hour',
    { tenant: { from_refiner: came(0.5, 0.1) } },
  ],
  ['no webhook for long, and nothing to be found', { tenant: { from_refiner: came(20, null) } }],
  ['a tenant that is switched off', { settings: { enabled: false }, tenant: { from_refiner: UNUSED } }],
  ['one way only', { settings: { to_refiner: false }, tenant: { from_segment: UNUSED } }],
  ['few users, none of them on both sides', { tenant: { user_ids: ids(['digits(8)', 9], ['uuid', 900]) } }],
  [
    'very many users of the same shape, of which only the newest were looked at',
    { tenant: { user_ids: ids(['uuid', 500], ['uuid', 500], 0, false) } },
  ],
  ['other users, of the same shape', { tenant: { user_ids: ids(['digits(8)', 30], ['digits(8)', 900]) } }],
  [
    'a secret that was wrong, and is right now',
    {
      facts: {
        intake: {
          accepted: [{ tenant: 'acme', source: 'refiner_webhook', requests: 1, last: daysAgo(0.005) }],
          refused: refused({}).facts!.intake!.refused,
        },
      },
    },
  ],
  [
    'an outage that is over',
    { segment: { last_error: error('no connection to api.segment.io: ECONNRESET') } },
  ],
  [
    'what was given up long ago',
    {
      tenant: {
        dead: [{ destination: 'segment', reason: 'no', deliveries: 99, last: daysAgo(30), example: 1 }],
      },
    },
  ],
  [
    'a rule that failed now and then',
    {
      tenant: {
        from_refiner: came(0.1, null, { ...sample(40, {}), notes: [{ text: 'rule nps: no', items: 3 }] }),
      },
    },
  ],
  ['a clock that is two minutes off', { tenant: { clock_ahead_ms: { segment: -120_000, refiner: 90_000 } } }],
]

test.each(WELL)('nothing is found: %s', (_, changes) => {
  expect(diagnose(factsWith(changes))).toEqual([])
})

test('a stranger who calls a URL is no certain cause where webhooks arrive', () => {
  const found = (changes: Changes) => diagnose(factsWith({ ...refused({}), ...changes }))[0]?.likelihood
  expect(found({})).toBe('possible')
  expect(found({ tenant: { from_refiner: came(9, null) } })).toBe('certain')
})

test('the most likely cause comes first, whichever is looked for first', () => {
  const findings = diagnose(
    factsWith({
      tenant: { from_segment: UNUSED, clock_ahead_ms: { segment: 3_600_000, refiner: null } },
      segment: { state: 'unauthorized', last_error: error('api.segment.io answered 401: check the key') },
    }),
  )
  expect(findings.map(({ cause }) => cause)).toEqual(['key_refused', 'clocks_apart', 'destination_unused'])
})

test('who is not known to be Segment is not said to be it for certain', () => {
  const carried = { headers: [], authorization: 'basic' as const, query: [] }
  const findings = diagnose(
    factsWith({
      tenant: { from_segment: UNUSED },
      ...refused({ tenant: null, route: '/v1/segment', carried }),
    }),
  )
  expect(findings).toMatchObject([{ cause: 'destination_unused', likelihood: 'likely' }])
})
