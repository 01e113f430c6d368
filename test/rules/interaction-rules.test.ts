import { describe, expect, test } from 'bun:test'
import type { ToSegmentSettings } from '../../src/contracts/configuration.ts'
import type { InteractionRule } from '../../src/contracts/rules.ts'
import { completedSurvey, withResponse } from '../fixtures/refiner-webhook.ts'
import { testTenant } from '../support/configuration.ts'
import { mapped } from '../support/mapping.ts'
import { fields, interactionRule, map } from '../support/rules.ts'

const SURVEY = withResponse({ data: { nps: '9', why: 'Pricing', seats: '12', tools: ['a', 'b'] } })

interface Sent {
  readonly type: string
  readonly messageId: string
  readonly event?: string
  readonly traits: Record<string, unknown>
  readonly properties: Record<string, unknown>
  readonly context: Record<string, unknown>
  readonly [field: string]: unknown
}

function deliveries(
  rules: readonly Partial<InteractionRule>[],
  body: unknown = SURVEY,
  settings: Partial<ToSegmentSettings> = {},
) {
  const mapping = rules.map((rule, index) => interactionRule({ name: `r${index}`, ...rule }))
  const item = { id: 7, source: 'refiner_webhook', payload: JSON.stringify(body), receivedAt: 1 } as const
  return mapped(item, testTenant('acme', { toSegment: { ...settings, mapping } })).deliveries
}

function messages(...given: Parameters<typeof deliveries>): Sent[] {
  return deliveries(...given).map(({ payload }) => JSON.parse(payload!) as Sent)
}

function only(type: string, ...given: Parameters<typeof deliveries>): Sent {
  const [message, ...others] = messages(...given).filter((one) => one.type === type)
  expect(others).toEqual([])
  return message!
}

describe('a rule', () => {
  test('sets traits, properties, account attributes and context as it names them', () => {
    const rule = {
      traits: fields({ nps_score: 'int(answers.nps)' }),
      properties: fields({ score: 'int(answers.nps)' }),
      groupTraits: fields({ tier: 'lower("PRO")' }),
      context: fields({ page: '{"url": "x"}' }),
    }
    const [identify, group, track] = messages([rule])
    expect(identify!.traits).toMatchObject({ nps_score: 9, refiner_nps: '9' })
    expect(group!.traits).toMatchObject({ tier: 'pro', refiner_name: 'Acme Inc.' })
    expect(track!.properties).toMatchObject({ score: 9, nps: '9' })
    for (const { context } of [identify!, group!, track!]) {
      expect(context).toMatchObject({ page: { url: 'x' }, library: { name: 'refiner-sync' } })
    }
  })

  test('names the event, also from what was answered', () => {
    expect(only('track', [{ event: 'NPS Submitted' }]).event).toBe('NPS Submitted')
    expect(only('track', [{ event: '{{ survey.name }} ({{ int(answers.nps) }})' }]).event).toBe(
      'Customer Churn Survey (9)',
    )
  })

  test('applies only when its condition holds', () => {
    const event = 'Other'
    expect(only('track', [{ when: 'answers.nps == "9"', event }]).event).toBe('Other')
    expect(only('track', [{ when: 'answers.nps == "1"', event }]).event).toBe('Completed Survey')
  })

  test('renames, drops, keeps and casts answers wherever they stand', () => {
    const [identify, , track] = messages([
      { rename: [['why', 'reason']], drop: ['tools'], cast: [['seats', 'number']] },
    ])
    expect(identify!.traits).toEqual({
      refiner_email: 'ada@example.com',
      refiner_nps: '9',
      refiner_reason: 'Pricing',
      refiner_seats: 12,
    })
    expect(track!.properties).toMatchObject({ nps: '9', reason: 'Pricing', seats: 12 })
    expect(track!.properties).not.toHaveProperty('tools')
    expect(track!.properties).not.toHaveProperty('why')
    const kept = only('identify', [{ keep: ['nps', 'w*'] }])
    expect(kept.traits).toEqual({
      refiner_email: 'ada@example.com',
      refiner_nps: '9',
      refiner_why: 'Pricing',
    })
  })

  test('renames all at the same time, so that two names can change places', () => {
    const { traits } = only('identify', [
      {
        rename: [
          ['nps', 'why'],
          ['why', 'nps'],
          ['seats', 'places'],
        ],
      },
    ])
    expect(traits).toMatchObject({ refiner_why: '9', refiner_nps: 'Pricing', refiner_places: '12' })
  })

  test('keeps no answer when it names none to keep', () => {
    expect(only('identify', [{ keep: [] }]).traits).toEqual({ refiner_email: 'ada@example.com' })
  })

  test('reaches a name in one place alone', () => {
    const [identify, group, track] = messages([
      {
        drop: [
          'properties.survey_uuid',
          'traits.refiner_email',
          'group_traits.refiner_seats',
          'properties.nps',
        ],
        rename: [['properties.survey_name', 'properties.survey']],
        cast: [['traits.refiner_nps', 'number']],
      },
    ])
    expect(identify!.traits).not.toHaveProperty('refiner_email')
    expect(identify!.traits).toMatchObject({ refiner_nps: 9 })
    expect(group!.traits).toEqual({ refiner_name: 'Acme Inc.', refiner_trial: false })
    expect(track!.properties).toMatchObject({ survey: 'Customer Churn Survey' })
    for (const name of ['survey_uuid', 'survey_name', 'nps'])
      expect(track!.properties).not.toHaveProperty(name)
  })

  test('leaves out a name whose expression gives nothing, also one that was there', () => {
    const rule = { traits: fields({ plan: 'default(answers.plan, "")', refiner_why: 'null' }) }
    expect(only('identify', [rule]).traits).not.toHaveProperty('plan')
    expect(only('identify', [rule]).traits).not.toHaveProperty('refiner_why')
  })

  test('takes a whole map', () => {
    const { properties } = only('track', [{ properties: map('merge(user.attributes, {"nps": 1})') }])
    expect(properties).toMatchObject({ plan: 'pro', nps: 1 })
  })

  test('chooses the calls and their order', () => {
    expect(messages([{ calls: ['track', 'identify'] }]).map(({ type }) => type)).toEqual([
      'track',
      'identify',
    ])
    expect(deliveries([{ calls: [] }])).toMatchObject([
      { state: 'skipped', reason: expect.stringContaining('rules') },
    ])
  })

  test('skips an interaction, with its reason', () => {
    expect(
      deliveries([{ when: 'user.email.endsWith("@example.com")', skip: 'staff', name: 'no-staff' }]),
    ).toMatchObject([{ state: 'skipped', reason: 'staff (rule no-staff)', payload: null }])
  })

  test('stops those after it', () => {
    const rules = [{ event: 'First' }, { stop: true, when: 'answers.nps == "9"' }, { event: 'Last' }]
    expect(only('track', rules).event).toBe('First')
  })

  test('can send what has no event name of its own', () => {
    const body = completedSurvey({ triggered_event: 'Saw Survey' })
    const rules = [{ when: 'interaction.kind == "seen"', event: 'Survey Shown' }]
    expect(messages(rules, body).map(({ type, event }) => [type, event])).toEqual([['track', 'Survey Shown']])
    expect(deliveries([{ when: 'false', event: 'x' }], body)).toMatchObject([
      { state: 'skipped', reason: 'no event name is set in to_segment.events.seen' },
    ])
  })
})

test('rules see the interaction as it came, and change the messages as the ones before left them', () => {
  const rules = [
    { drop: ['nps'] },
    { properties: fields({ score: 'int(answers.nps)' }) },
    { rename: [['why', 'reason']] as const },
    { drop: ['reason'] },
  ]
  const { properties } = only('track', rules)
  expect(properties).toMatchObject({ score: 9 })
  for (const name of ['nps', 'why', 'reason']) expect(properties).not.toHaveProperty(name)
})

describe('a rule that fails', () => {
  const failing = { name: 'bad', traits: fields({ fine: '"x"', score: 'int(answers.why)' }), drop: ['nps'] }

  test('changes nothing, and is noted on every delivery', () => {
    const all = deliveries([failing, { event: 'Still Sent' }])
    expect(all.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending'])
    const [identify, , track] = all.map(({ payload }) => JSON.parse(payload!) as Sent)
    expect(identify!.traits).not.toHaveProperty('fine')
    expect(track).toMatchObject({ event: 'Still Sent', properties: { nps: '9' } })
    for (const { notes } of all) {
      expect(notes).toBe(
        'rule bad at refiner-sync.yaml:1:1 failed: traits.score: `int(answers.why)`: int conversion error; it was left out',
      )
    }
  })

  test('makes the delivery dead where it is to, and can be mapped again', () => {
    expect(deliveries([{ ...failing, onError: 'dead' }, { event: 'Not Sent' }])).toMatchObject([
      {
        state: 'dead',
        call: 'all',
        payload: null,
        messageId: 'inbox-7',
        reason: expect.stringContaining('rule bad'),
      },
    ])
  })

  test('ends the rules where it is dead: the reason is that of the first', () => {
    const dead = { ...failing, onError: 'dead' } as const
    const [only, ...others] = deliveries([dead, { ...dead, name: 'second' }, { name: 'skips', skip: 'x' }])
    expect(others).toEqual([])
    expect(only).toMatchObject({ state: 'dead', reason: expect.stringContaining('rule bad ') })
  })

  test('tells nothing of what was answered', () => {
    for (const { notes } of deliveries([failing])) expect(notes).not.toContain('Pricing')
    const cast = deliveries([{ cast: [['why', 'number']] }])
    expect(cast[0]!.notes).toContain('cast.why: the value is no number')
  })

  test('when its event name comes to nothing', () => {
    const [first] = deliveries([{ event: '{{ default(answers.nothing, "") }}' }])
    expect(first!.notes).toContain('event: the name is empty')
    expect(deliveries([{ event: 'x {{ int(answers.why) }}' }])[0]!.notes).toContain(
      'event: `int(answers.why)`: int conversion error',
    )
  })

  test('in a condition that is no condition', () => {
    expect(deliveries([{ when: 'answers.why', event: 'x' }])[0]!.notes).toContain('neither true nor false')
  })
})

describe('emit', () => {
  const emit = {
    type: 'track',
    event: 'Promoter Found',
    userId: null,
    groupId: null,
    timestamp: null,
    traits: null,
    properties: fields({ score: 'int(answers.nps)' }),
    context: null,
    fields: null,
  } as const

  test('sends a message more, with an ID of its own that stays', () => {
    const all = messages([{ name: 'promoter', emit }])
    expect(all.map(({ type, event }) => event ?? type)).toEqual([
      'identify',
      'group',
      'Completed Survey',
      'Promoter Found',
    ])
    expect(all[3]).toMatchObject({
      userId: 'user-1042',
      properties: { score: 9 },
      integrations: { Refiner: false },
    })
    expect(new Set(all.map(({ messageId }) => messageId)).size).toBe(4)
    // Whatever stands before the rule: its name is what counts.
    const moved = messages([{ event: 'x' }, { name: 'other', emit }, { name: 'promoter', emit }])
    expect(moved.at(-1)!.messageId).toBe(all[3]!.messageId)
    expect(messages([{ name: 'renamed', emit }])[3]!.messageId).not.toBe(all[3]!.messageId)
  })

  test('fills every field', () => {
    const [message] = messages([
      {
        calls: [],
        emit: {
          type: 'group',
          event: null,
          userId: '"u-" + user.id',
          groupId: '"g-1"',
          timestamp: 'response.first_shown_at',
          traits: map('account.attributes'),
          properties: null,
          context: fields({ integration: '{"name": "Other"}' }),
          fields: fields({ originalTimestamp: 'body.response.received_at' }),
        },
      },
    ])
    expect(message).toMatchObject({
      type: 'group',
      userId: 'u-user-1042',
      groupId: 'g-1',
      timestamp: '2022-10-14T07:58:01.123Z',
      traits: { name: 'Acme Inc.', seats: 0, trial: false },
      context: { integration: { name: 'Other' }, library: { name: 'refiner-sync' } },
      originalTimestamp: '2022-10-14T07:58:55.000000Z',
    })
  })

  test.each(['type', 'messageId', 'userId', 'groupId', 'timestamp', 'event', 'integrations', 'context'])(
    'cannot set %s by `fields`, and says so',
    (name) => {
      const further = map(`{"anonymousId": "a", "${name}": "x"}`)
      const all = messages([{ emit: { ...emit, fields: further } }])
      expect(all).toHaveLength(3)
      const [first] = deliveries([{ emit: { ...emit, fields: further } }])
      expect(first!.notes).toContain(`emit.fields: \`${name}\` is not for it to set`)
    },
  )

  test('of a group needs an account', () => {
    const body = completedSurvey({ account: null })
    expect(
      messages([{ emit: { ...emit, type: 'group', event: null } }], body).map(({ type }) => type),
    ).toEqual(['identify', 'track'])
  })
})

describe('names that mean something in JavaScript', () => {
  // As JSON, for an object literal would set its prototype.
  const data = JSON.parse(
    '{"nps": "9", "constructor": "c", "__proto__": "p", "toString": "t", "nested": {"constructor": {"a": 1}}}',
  ) as Record<string, unknown>
  const survey = withResponse({ data })

  test('are answers like any other', () => {
    const track = only(
      'track',
      [
        {
          when: '"constructor" in answers && size(answers) == 5 && answers == body.response.data',
          properties: {
            kind: 'fields',
            fields: [
              ['__proto__', 'answers["__proto__"]'],
              ['score', 'int(answers.nps)'],
              ['all', 'answers.map(key, answers[key]).filter(value, value == "c" || value == "t")'],
              ['merged', 'compact(merge(answers, {"nps": null})).constructor'],
              ['text', 'text(answers.nested)'],
              ['missing', 'default(answers.valueOf, "none")'],
            ],
          },
        },
      ],
      survey,
    )
    expect(Object.entries(track.properties)).toEqual(
      expect.arrayContaining([
        ['__proto__', 'p'],
        ['score', 9],
        ['all', ['c', 't']],
        ['merged', 'c'],
        ['text', '{"constructor":{"a":1}}'],
        ['missing', 'none'],
      ]),
    )
    expect(Object.getPrototypeOf({})).toBe(Object.prototype)
  })

  test('can be cast and renamed', () => {
    const rename = [['toString', '__proto__']] as const
    const { properties } = only('track', [{ cast: [['__proto__', 'list']] }], survey)
    expect(Object.getOwnPropertyDescriptor(properties, '__proto__')!.value).toEqual(['p'])
    const renamed = only('track', [{ rename }], survey).properties
    expect(Object.getOwnPropertyDescriptor(renamed, '__proto__')!.value).toBe('t')
  })
})

describe('one-line settings', () => {
  test('an NPS answer says what it means', () => {
    const [identify, , track] = messages([], SURVEY, { nps: ['nps', 'nps_*'] })
    expect(identify!.traits).toMatchObject({
      refiner_nps: '9',
      refiner_nps_score: 9,
      refiner_nps_category: 'promoter',
    })
    expect(track!.properties).toMatchObject({ nps: '9', nps_score: 9, nps_category: 'promoter' })
    const none = messages([], withResponse({ data: { nps: 'n/a' } }), { nps: ['nps'] })
    expect(none[0]!.traits).not.toHaveProperty('refiner_nps_score')
  })

  test('an answer named like what an NPS answer means is not lost', () => {
    const [, , track] = messages([], withResponse({ data: { nps_score: '3' } }), { nps: ['nps_*'] })
    expect(track!.properties).toMatchObject({
      answer_nps_score: '3',
      nps_score: 3,
      nps_category: 'detractor',
    })
  })

  test('each answered question has its event', () => {
    const rule = { drop: ['tools', 'properties.seats'], rename: [['why', 'reason']] as const }
    const all = messages([rule], SURVEY, {
      questionEvent: 'Question Answered',
    })
    const questions = all.filter(({ event }) => event === 'Question Answered')
    expect(questions.map(({ properties }) => [properties['question'], properties['answer']])).toEqual([
      ['nps', '9'],
      ['seats', '12'],
      ['reason', 'Pricing'],
    ])
    expect(questions[0]!.properties).toEqual({
      survey_uuid: expect.any(String),
      survey_name: 'Customer Churn Survey',
      response_uuid: expect.any(String),
      question: 'nps',
      answer: '9',
    })
    expect(new Set(all.map(({ messageId }) => messageId)).size).toBe(all.length)
  })
})
