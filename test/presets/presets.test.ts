import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { readConfiguration } from '../../src/config/load.ts'
import type { NewDelivery } from '../../src/contracts/delivery.ts'
import { mapped } from '../support/mapping.ts'

const ROOT = join(import.meta.dir, '..', '..')

type Body = Record<string, unknown> & { response: Record<string, unknown> }

/** A body that Refiner sends, by its path in the repository. */
async function sample(path: string): Promise<Body> {
  return (await Bun.file(join(ROOT, path)).json()) as Body
}

/** The same with some fields of its `response` changed. */
function withResponse(body: Body, over: Record<string, unknown>): Body {
  return { ...body, response: { ...body.response, ...over } }
}

/** What a tenant of these settings makes of a body; the preset is that of the repository. */
function deliveries(settings: string, body: Body): readonly NewDelivery[] {
  const text = `tenants:
  acme:
    refiner: { webhook: { secret: the-hook-of-acme } }
    segment: { write_key: write, region: us }
    to_segment: ${settings}
    to_refiner: { enabled: false }
`
  const loaded = readConfiguration({ file: join(ROOT, 'some.yaml'), text, environment: {} })
  if (!loaded.ok) throw new Error(loaded.mistakes.map(({ message }) => message).join('\n'))
  expect(loaded.warnings).toEqual([])
  const item = {
    id: 1,
    source: 'refiner_webhook',
    payload: JSON.stringify(body),
    receivedAt: 1_700_000_000_000,
  } as const
  return mapped(item, loaded.configuration.tenants.get('acme')!).deliveries
}

function messages(settings: string, body: Body): Record<string, unknown>[] {
  const all = deliveries(settings, body)
  for (const { state, notes } of all) expect({ state, notes }).toEqual({ state: 'pending', notes: null })
  return all.map(({ payload }) => JSON.parse(payload!) as Record<string, unknown>)
}

describe('segment-catalog', () => {
  test('sends identify, group and track, with the prefix that the page shows', async () => {
    const sent = messages('{ preset: segment-catalog }', await sample('config/samples/completed-survey.json'))
    expect(sent).toMatchObject([
      {
        type: 'identify',
        userId: 'user-1842',
        traits: {
          refiner_email: 'mara.lindqvist@example.com',
          refiner_nps: '9',
          refiner_what_do_you_like_most: 'The reports are quick to set up',
        },
      },
      {
        type: 'group',
        userId: 'user-1842',
        groupId: 'account-77',
        traits: { refiner_name: 'Northwind Ltd.', refiner_employees: '140' },
      },
      { type: 'track', event: 'Completed Survey', properties: { survey_name: 'Product NPS', nps: '9' } },
    ])
  })

  test('sends nothing for a survey that was only seen', async () => {
    const [only] = deliveries('{ preset: segment-catalog }', await sample('config/samples/seen.json'))
    expect(only).toMatchObject({ state: 'skipped' })
  })
})

describe('rudderstack', () => {
  const WEBHOOKS = 'test/fixtures/webhooks'
  const unknown = { library: { name: 'unknown', version: 'unknown' }, integration: { name: 'Refiner' } }
  const ours = { messageId: expect.stringMatching(/^refiner-sync-[0-9a-f]{32}-[a-z]+-[0-9a-f]{16}$/) }

  test('of a user with an account ID: identify, track, group', async () => {
    const body = await sample(`${WEBHOOKS}/account-with-id.json`)
    const form = {
      formUuid: '4b1f7a10-5c02-4d1e-8a11-0a7c55d20b10',
      formName: 'Cancellation Survey',
    }
    const all = {
      ...ours,
      timestamp: '2024-03-05T09:32:41.000Z',
      userId: 'customer@204',
      integrations: { Refiner: false },
      originalTimestamp: '2024-03-05T09:32:41.000000Z',
    }
    expect(messages('{ preset: rudderstack }', body)).toEqual([
      {
        ...all,
        type: 'identify',
        traits: { what_made_you_leave: 'Too expensive' },
        context: {
          ...unknown,
          ...form,
          traits: {
            email: 'ines.holm@example.com',
            segments: [
              {
                uuid: '4b1f7a10-5c02-4d1e-8a11-0a7c55d20b01',
                name: 'All Users',
                created_at: '2024-03-04T07:11:21.000000Z',
                updated_at: '2024-03-04T07:11:21.000000Z',
              },
              {
                uuid: '4b1f7a10-5c02-4d1e-8a11-0a7c55d20b02',
                name: 'trial-week-two',
                created_at: '2024-03-04T07:11:21.000000Z',
                updated_at: '2024-03-04T07:11:21.000000Z',
              },
            ],
          },
        },
      },
      {
        ...all,
        type: 'track',
        event: 'Completed Survey',
        properties: {
          response: {
            uuid: '9a3d1f60-0d11-4c6e-b1a7-51f2c8e0aa03',
            first_shown_at: '2024-03-04T07:12:00.000000Z',
            last_shown_at: '2024-03-05T09:31:02.000000Z',
            first_data_reception_at: '2024-03-05T09:32:41.000000Z',
            last_data_reception_at: '2024-03-05T09:32:41.000000Z',
            completed_at: '2024-03-05T09:32:41.000000Z',
            received_at: '2024-03-05T09:32:41.000000Z',
            data: { what_made_you_leave: 'Too expensive' },
            tags: [],
          },
          refiner_form_name: 'Cancellation Survey',
          refiner_form_uuid: '4b1f7a10-5c02-4d1e-8a11-0a7c55d20b10',
        },
        context: { ...unknown, ...form },
      },
      {
        ...all,
        type: 'group',
        groupId: 'FJORD-31',
        traits: {
          contract_starts_at: '2024-02-01T00:00:00.000000Z',
          name: 'Fjord Bikes Ltd.',
          tier: 'gold',
        },
        context: unknown,
      },
    ])
  })

  test('of a user whose account has no ID: identify, track', async () => {
    const body = await sample(`${WEBHOOKS}/account-without-id.json`)
    const sent = messages('{ preset: rudderstack }', body)
    expect(sent).toMatchObject([
      {
        type: 'identify',
        userId: 'customer@377',
        traits: { what_made_you_leave: 'An integration is missing' },
        context: { ...unknown, traits: { email: 'tomas.vrba@example.com', segments: [{}, {}] } },
      },
      {
        type: 'track',
        event: 'Completed Survey',
        userId: 'customer@377',
        originalTimestamp: '2024-04-18T15:06:01.000000Z',
      },
    ])
    expect(sent).toHaveLength(2)
  })

  test('of a contact without an email the attributes stand in the context, less what is null', async () => {
    const body = { ...(await sample(`${WEBHOOKS}/account-without-id.json`)), email: null }
    const [identify] = messages('{ preset: rudderstack }', body)
    expect((identify!['context'] as Record<string, unknown>)['traits']).toEqual({
      email: 'tomas.vrba@example.com',
      first_seen_at: '2024-04-18T15:04:10.000000Z',
      form_submissions_count: '1',
      form_views_count: '1',
      last_form_submission_at: '2024-04-18T15:06:01.000000Z',
      last_form_view_at: '2024-04-18T15:05:12.000000Z',
      last_seen_at: '2024-04-18T15:04:10.000000Z',
      what_made_you_leave: 'An integration is missing',
      segments: (body as Body)['segments'],
    })
  })

  test('of a survey that was seen, under the name that Refiner gives it', async () => {
    const sent = messages('{ preset: rudderstack }', await sample('config/samples/seen.json'))
    expect(sent).toMatchObject([
      { type: 'identify' },
      { type: 'track', event: 'Saw Survey' },
      { type: 'group' },
    ])
  })

  test('of what is about no survey, nothing', async () => {
    const { response: _, form: __, ...rest } = await sample('config/samples/nps.json')
    const body = { ...rest, triggered_event: 'User Entered Segment' } as unknown as Body
    expect(deliveries('{ preset: rudderstack }', body)).toMatchObject([{ state: 'skipped', notes: null }])
  })
})

describe('satismeter', () => {
  test('sends its traits and events for a survey with an NPS answer', async () => {
    const sent = messages('{ preset: satismeter }', await sample('config/samples/nps.json'))
    expect(sent).toMatchObject([
      { type: 'identify', userId: 'user-305' },
      {
        type: 'track',
        event: 'Completed NPS Survey',
        properties: { rating: 9, category: 'promoter', comment: 'The team inbox saves me an hour a day' },
      },
      {
        type: 'track',
        event: 'Answered NPS Survey',
        timestamp: '2025-05-06T13:40:37.000Z',
        properties: { rating: 9, survey_name: 'NPS May 2025' },
      },
    ])
    expect(sent[0]!['traits']).toEqual({
      NPS_rating: 9,
      NPS_comment: 'The team inbox saves me an hour a day',
      NPS_date: '2025-05-06T13:41:05.000Z',
    })
  })

  test('finds the score and the comment by their keys', async () => {
    const body = await sample('config/samples/nps.json')
    const data = { why_this_nps: 'It is fast', plan: 'pro', product_nps_q3: 10 }
    const [identify] = messages('{ preset: satismeter }', withResponse(body, { data }))
    expect(identify!['traits']).toMatchObject({ NPS_rating: 10, NPS_comment: 'It is fast' })
  })

  test('without a comment has no trait for it', async () => {
    const body = await sample('config/samples/nps.json')
    const [identify] = messages('{ preset: satismeter }', withResponse(body, { data: { nps: '0' } }))
    expect(identify!['traits']).toEqual({ NPS_rating: 0, NPS_date: '2025-05-06T13:41:05.000Z' })
  })

  test('sends any other survey under another name', async () => {
    const body = await sample('config/samples/nps.json')
    const sent = messages('{ preset: satismeter }', withResponse(body, { data: { csat: '4' } }))
    expect(sent).toMatchObject([
      { type: 'identify', traits: { csat: '4' } },
      { type: 'track', event: 'Completed Survey' },
    ])
  })

  test.each([
    ['Saw Survey', 'Viewed NPS Survey'],
    ['Dismissed Survey', 'Closed NPS Survey'],
  ])('%s is %s', async (triggered_event, event) => {
    const body = { ...(await sample('config/samples/seen.json')), triggered_event }
    expect(messages('{ preset: satismeter }', body)).toMatchObject([{ type: 'track', event }])
  })

  test('what a tenant says itself counts', async () => {
    const body = await sample('config/samples/seen.json')
    const [only] = deliveries('{ preset: satismeter, events: { seen: null } }', body)
    expect(only).toMatchObject({ state: 'skipped' })
  })
})

describe('delighted', () => {
  test('sends one event for each answer, and nothing else', async () => {
    const sent = messages('{ preset: delighted }', await sample('config/samples/completed-survey.json'))
    expect(sent.map(({ type, event }) => `${String(type)} ${String(event)}`)).toEqual(
      Array(3).fill('track Survey Question Answered'),
    )
    expect(sent.map(({ properties }) => properties)).toEqual([
      {
        survey_id: '7d2c9b1e-4a83-4c0f-bb52-90d9a4f6a8e4',
        survey_name: 'Product NPS',
        survey_type: 'NPS',
        survey_medium: 'Web',
        survey_tool: 'Refiner',
        survey_tags: [],
        survey_question_id: 'nps',
        survey_question_name: 'nps',
        survey_question_answer: '9',
      },
      expect.objectContaining({
        survey_question_id: 'what_do_you_like_most',
        survey_question_answer: 'The reports are quick to set up',
      }),
      expect.objectContaining({ survey_question_answer: ['Dashboards', 'Exports'] }),
    ])
    expect(sent[2]).toMatchObject({
      context: {
        library: { name: 'refiner-sync' },
        traits: {
          email: 'mara.lindqvist@example.com',
          delighted_person_id: '0b0f5c52-6f0e-4b8c-9a35-3f1f0a6f7d11',
        },
      },
    })
  })

  test('has a message ID of its own for each of ten answers', async () => {
    const data = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`question_${at}`, String(at)]))
    const body = withResponse(await sample('config/samples/nps.json'), { data })
    const ids = messages('{ preset: delighted }', body).map(({ messageId }) => messageId)
    expect(new Set(ids).size).toBe(10)
    expect(ids).toHaveLength(10)
  })

  test('sends identify and group as well where a tenant wants them', async () => {
    const body = await sample('config/samples/nps.json')
    const sent = messages('{ preset: delighted, calls: [identify, group] }', body)
    expect(sent.map(({ type }) => type)).toEqual(['identify', 'group', 'track', 'track'])
  })
})
