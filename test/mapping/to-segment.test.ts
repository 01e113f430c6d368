import { describe, expect, test } from 'bun:test'
import type { ToSegmentSettings } from '../../src/contracts/configuration.ts'
import type { NewDelivery } from '../../src/contracts/delivery.ts'
import { VERSION } from '../../src/version.ts'
import { completedSurvey, withResponse } from '../fixtures/refiner-webhook.ts'
import { testTenant } from '../support/configuration.ts'
import { mapped as mapItem } from '../support/mapping.ts'

const US = { name: 'refiner-sync', version: VERSION }
const envelope = {
  timestamp: '2022-10-14T07:58:55.000Z',
  messageId: expect.stringMatching(/^refiner-sync-[0-9a-f]{32}-[a-z]+-[0-9a-f]{16}$/),
  context: { library: US, integration: US },
  integrations: { Refiner: false },
}

const EVENTS = {
  completed: 'Completed Survey',
  seen: 'Saw Survey',
  dismissed: 'Dismissed Survey',
  segment_entered: 'Entered Segment',
  tag_added: 'Tag Added',
}

function map(
  body: unknown,
  settings: Partial<ToSegmentSettings> = {},
  name = 'acme',
): readonly NewDelivery[] {
  const item = {
    id: 1,
    source: 'refiner_webhook',
    payload: JSON.stringify(body),
    receivedAt: 1_700_000_000_000,
  } as const
  return mapItem(item, testTenant(name, { toSegment: settings })).deliveries
}

interface Sent {
  readonly type: string
  readonly userId?: string
  readonly event?: string
  readonly timestamp: string
  readonly traits: Record<string, unknown>
  readonly properties: Record<string, unknown>
}

function sent(deliveries: readonly NewDelivery[]): Sent[] {
  return deliveries
    .filter(({ state }) => state === 'pending')
    .map(({ payload }) => JSON.parse(payload!) as Sent)
}

const skipReasons = (deliveries: readonly NewDelivery[]) =>
  deliveries.map(({ state, reason, payload }) => ({ state, reason, payload }))

describe('a completed survey', () => {
  test('becomes an identify with the answers, a group with the account, and a track with both', () => {
    expect<unknown[]>(sent(map(completedSurvey()))).toEqual([
      {
        type: 'identify',
        userId: 'user-1042',
        traits: { refiner_email: 'ada@example.com', refiner_why_did_you_cancel: 'Pricing', refiner_nps: '9' },
        ...envelope,
      },
      {
        type: 'group',
        userId: 'user-1042',
        groupId: 'account-7',
        traits: { refiner_name: 'Acme Inc.', refiner_seats: 0, refiner_trial: false },
        ...envelope,
      },
      {
        type: 'track',
        userId: 'user-1042',
        event: 'Completed Survey',
        properties: {
          survey_uuid: '0d9c2a4e-5555-4f6b-9d0a-5b1f1f0a0005',
          survey_name: 'Customer Churn Survey',
          response_uuid: '0d9c2a4e-6666-4f6b-9d0a-5b1f1f0a0006',
          first_shown_at: '2022-10-14T07:58:01.123Z',
          last_shown_at: '2022-10-14T07:58:01.123Z',
          first_data_reception_at: '2022-10-14T07:58:30.000Z',
          last_data_reception_at: '2022-10-14T07:58:55.000Z',
          completed_at: '2022-10-14T07:58:55.000Z',
          received_at: '2022-10-14T07:58:55.000Z',
          tags: [],
          why_did_you_cancel: 'Pricing',
          nps: '9',
        },
        ...envelope,
      },
    ])
  })

  test('of a user whose account has no ID becomes no group', () => {
    const body = completedSurvey({ account: { uuid: 'a', remote_id: null, attributes: { name: 'x' } } })
    expect(sent(map(body)).map(({ type }) => type)).toEqual(['identify', 'track'])
  })

  test('keeps lists, zeros, falses and empty texts, and leaves out only what is null', () => {
    const data = { list: ['a', 'b'], zero: 0, no: false, empty: '', nothing: null, __proto__x: '1' }
    const [identify] = sent(map(withResponse({ data })))
    expect(identify!.traits).toEqual({
      refiner_email: 'ada@example.com',
      refiner_list: ['a', 'b'],
      refiner_zero: 0,
      refiner_no: false,
      refiner_empty: '',
      refiner___proto__x: '1',
    })
  })

  test('reads timestamps of the API, which are in UTC and without a zone', () => {
    const [identify, , track] = sent(map(withResponse({ completed_at: '2022-10-14 07:58:55' })))
    expect(identify!.timestamp).toBe('2022-10-14T07:58:55.000Z')
    expect(track!.properties['completed_at']).toBe('2022-10-14T07:58:55.000Z')
  })

  test('has numbers as IDs read as text, and fields nobody foresaw passed over', () => {
    const body = completedSurvey({ remote_id: 42, email: null, something_new: { deep: [1] } })
    const [identify] = sent(map(body))
    expect(identify).toMatchObject({ userId: '42' })
    expect(identify!.traits).not.toHaveProperty('refiner_email')
  })

  test('with nothing but an ID and a trigger still becomes an identify and a track', () => {
    expect(
      sent(map({ remote_id: 'u', triggered_event: 'Completed Survey' })).map(({ type }) => type),
    ).toEqual(['identify', 'track'])
  })

  test('with an answer named like one of our own properties loses neither', () => {
    const data = {
      survey_name: 'mine',
      answer_survey_name: 'odd',
      dismissed_at: 'never',
      email: 'other@example.com',
    }
    const [identify, , track] = sent(map(withResponse({ data })))
    expect(track!.properties).toMatchObject({
      survey_name: 'Customer Churn Survey',
      answer_survey_name: 'odd',
      answer_answer_survey_name: 'mine',
      answer_dismissed_at: 'never',
      email: 'other@example.com',
    })
    expect(identify!.traits).toMatchObject({
      refiner_email: 'ada@example.com',
      refiner_answer_email: 'other@example.com',
    })
  })

  test('with an answer named __proto__ keeps it', () => {
    const body = JSON.stringify(withResponse({ data: { nps: '9' } })).replace('"nps":"9"', '"__proto__":"9"')
    const [identify] = sent(map(JSON.parse(body)))
    expect(JSON.stringify(identify!.traits)).toContain('"refiner___proto__":"9"')
    const track = map(JSON.parse(body)).at(-1)!.payload
    expect(track).toContain('"__proto__":"9"')
  })
})

describe('settings', () => {
  test('the prefix may be empty, and the event may have another name', () => {
    const [identify, group, track] = sent(
      map(completedSurvey(), { traitPrefix: '', events: { ...EVENTS, completed: 'NPS done' } }),
    )
    expect(identify!.traits).toEqual({ email: 'ada@example.com', why_did_you_cancel: 'Pricing', nps: '9' })
    expect(group!.traits).toEqual({ name: 'Acme Inc.', seats: 0, trial: false })
    expect(track!.event).toBe('NPS done')
  })

  test('without a name for the completed event there is no track, but still what is known of the user', () => {
    const events = { ...EVENTS, completed: null }
    expect(sent(map(completedSurvey(), { events })).map(({ type }) => type)).toEqual(['identify', 'group'])
  })

  test('only the calls that are wanted are sent', () => {
    expect(sent(map(completedSurvey(), { calls: new Set(['track']) })).map(({ type }) => type)).toEqual([
      'track',
    ])
  })

  test("the user's own attributes go along when wanted, and answers win over them", () => {
    const data = { plan: 'free' }
    const [identify] = sent(map(withResponse({ data }), { userAttributes: true }))
    expect(identify!.traits).toEqual({
      refiner_plan: 'free',
      refiner_form_views_count: '2',
      refiner_email: 'ada@example.com',
    })
  })

  test.each([
    [{ include: ['Customer *'], exclude: [] }, true],
    [{ include: ['*'], exclude: ['*Churn*'] }, false],
    [{ include: ['NPS *'], exclude: [] }, false],
    [{ include: ['0d9c2a4e-5555-4f6b-9d0a-5b1f1f0a0005'], exclude: [] }, true],
    [{ include: ['*'], exclude: ['0d9c2a4e-5555-4f6b-9d0a-5b1f1f0a0005'] }, false],
  ])('surveys %j are chosen by name or uuid', (surveys, chosen) => {
    const deliveries = map(completedSurvey(), { surveys })
    expect(sent(deliveries).length > 0).toBe(chosen)
    if (chosen) return
    expect(skipReasons(deliveries)).toEqual([
      { state: 'skipped', reason: 'the survey is left out by to_segment.surveys', payload: null },
    ])
  })
})

describe('other interactions', () => {
  test.each([
    ['Saw Survey', 'Saw Survey', '2022-10-14T07:58:01.123Z'],
    ['Dismissed Survey', 'Dismissed Survey', '2022-10-14T08:00:00.000Z'],
    ['Tag Added', 'Tag Added', '2023-11-14T22:13:20.000Z'],
    ['User Entered Segment', 'Entered Segment', '2023-11-14T22:13:20.000Z'],
  ])('%s becomes a track only', (trigger, event, timestamp) => {
    const body = withResponse({ dismissed_at: '2022-10-14 08:00:00' }, { triggered_event: trigger })
    const messages = sent(map(body, { events: EVENTS }))
    expect(messages).toHaveLength(1)
    expect(messages[0]).toMatchObject({ type: 'track', event, timestamp, userId: 'user-1042' })
  })

  test('are skipped, with the reason, while they have no event name', () => {
    expect(skipReasons(map(completedSurvey({ triggered_event: 'Saw Survey' })))).toEqual([
      { state: 'skipped', reason: 'no event name is set in to_segment.events.seen', payload: null },
    ])
  })

  test('that nobody knows are skipped, not lost', () => {
    const [only] = map(completedSurvey({ triggered_event: 'Rated Five Stars' }))
    expect(only).toMatchObject({ state: 'skipped', call: 'all' })
  })
})

describe('a contact without a user ID', () => {
  const body = completedSurvey({ remote_id: null })

  test('is skipped, and the reason is kept', () => {
    const [only, ...others] = map(body)
    expect(others).toEqual([])
    expect(only).toMatchObject({
      state: 'skipped',
      payload: null,
      reason: expect.stringContaining('no user ID'),
    })
  })

  test('goes by its email where that is wanted', () => {
    const messages = sent(map(body, { anonymous: 'email' }))
    expect(messages.map(({ userId }) => userId)).toEqual(Array(3).fill('ada@example.com'))
  })

  test('without an email is skipped there', () => {
    const [only] = map({ ...body, email: null }, { anonymous: 'email' })
    expect(only).toMatchObject({
      state: 'skipped',
      reason: expect.stringContaining('neither a user ID nor an email'),
    })
  })

  test("goes by the contact's uuid where that is wanted", () => {
    const messages = sent(map(body, { anonymous: 'anonymous_id' }))
    expect(messages).toHaveLength(3)
    for (const message of messages) {
      expect(message).toMatchObject({ anonymousId: '0d9c2a4e-1111-4f6b-9d0a-5b1f1f0a0001' })
      expect(message).not.toHaveProperty('userId')
    }
  })
})

test("a message over Segment's 32 KB is dead, and says so; the others go out", () => {
  const deliveries = map(withResponse({ data: { comment: 'x'.repeat(33_000) } }))
  expect(deliveries.map(({ call, state }) => [call, state])).toEqual([
    ['identify', 'dead'],
    ['group', 'pending'],
    ['track', 'dead'],
  ])
  expect(deliveries[0]!.reason).toContain('32 KB per message')
  expect(deliveries[0]!.payload).toContain('xxx')
})

describe('message IDs', () => {
  const ids = (body: unknown, tenant = 'acme') => map(body, {}, tenant).map(({ messageId }) => messageId)
  const first = ids(completedSurvey())

  test('differ by call and are under 100 characters', () => {
    expect(new Set(first).size).toBe(3)
    for (const id of first) expect(id.length).toBeLessThan(100)
  })

  test('are the same for the same interaction, in whatever form it is reported', () => {
    const fromApi = withResponse({
      completed_at: '2022-10-14 07:58:55',
      last_data_reception_at: '2022-10-14 07:58:55',
      data: { nps: 9, why_did_you_cancel: 'Pricing' },
    })
    expect(ids({ ...fromApi, last_seen_at: 'later', attributes: {} })).toEqual(first)
  })

  test.each([
    ['a later update', withResponse({ last_data_reception_at: '2022-10-15T00:00:00.000000Z' })],
    [
      'an answer changed within the second',
      withResponse({ data: { why_did_you_cancel: 'Pricing', nps: '8' } }),
    ],
    ['another response', withResponse({ uuid: 'other' })],
  ])('are new for %s', (_, body) => {
    for (const id of ids(body)) expect(first).not.toContain(id)
  })

  test('are new once the contact, or the account, is identified', () => {
    const anonymous = map(completedSurvey({ remote_id: null }), { anonymous: 'anonymous_id' })
    for (const { messageId } of anonymous) expect(first).not.toContain(messageId)
    const moved = ids(completedSurvey({ account: { remote_id: 'account-8' } }))
    expect(moved.map((id) => first.includes(id))).toEqual([true, false, true])
  })

  test('are new for a tag added again, and for a segment entered again, but not for the same bytes', () => {
    const id = (trigger: string, over: Record<string, unknown>) => {
      return map(withResponse(over, { triggered_event: trigger, ...over }), { events: EVENTS })[0]!.messageId
    }
    for (const trigger of ['Tag Added', 'User Entered Segment']) {
      const seen = [{ tags: ['A'] }, { tags: ['A', 'B'] }, { tags: ['A'], last_seen_at: 'later' }].map(
        (over) => id(trigger, over),
      )
      expect(new Set(seen).size).toBe(3)
      expect(id(trigger, { tags: ['A'] })).toBe(seen[0]!)
    }
  })

  test.each([
    ['completed', 'Completed Survey', 'received_at'],
    ['seen', 'Saw Survey', 'first_shown_at'],
    ['dismissed', 'Dismissed Survey', 'last_shown_at'],
  ])(
    'are new for a survey that was %s again, where all that tells them apart is a moment',
    (_, trigger, name) => {
      const idAt = (moment: string) => {
        const response = { data: { nps: '9' }, [name]: moment }
        const body = { triggered_event: trigger, remote_id: 'u', form: { uuid: 'f', name: 'NPS' }, response }
        return map(body, { events: EVENTS })[0]!.messageId
      }
      const april = idAt('2024-04-01T10:00:00.000000Z')
      expect(idAt('2024-05-01T10:00:00.000000Z')).not.toBe(april)
      expect(idAt('2024-04-01 10:00:00')).toBe(april)
    },
  )

  test('are others in another tenant', () => {
    for (const id of ids(completedSurvey(), 'globex')) expect(first).not.toContain(id)
  })
})
