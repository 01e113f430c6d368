import { completedSurvey } from '../test/fixtures/refiner-webhook.ts'

/** A Segment message of about 0.5 KB. */
export function segmentMessage(userId: string, messageId: string): string {
  return JSON.stringify({
    type: 'track',
    userId,
    event: 'Clicked',
    messageId,
    timestamp: '2024-05-01T00:00:00.000Z',
    properties: { text: 'x'.repeat(280) },
    context: { library: { name: 'bench', version: '1' } },
  })
}

/** A Refiner webhook of about 2 KB about the response of that ID. */
export function refinerWebhook(userId: string, responseId: string): string {
  const body = completedSurvey({ remote_id: userId, display_name: 'x'.repeat(400) })
  return JSON.stringify({ ...body, response: { ...(body['response'] as object), uuid: responseId } })
}

/** Attributes that a Refiner account collects over time: most are null for most users. */
const UNUSED = (
  'address address_city address_state age another_attribute city country created_at event first_name gender ' +
  'last_name phone status student tag trait1 trait2 trait3 url user_country user_id username occupation'
).split(' ')

/** A Refiner webhook as they are recorded, of about 2.4 KB: many attributes, most of them null. */
export function recordedWebhook(n: number): string {
  const body = completedSurvey({ remote_id: `user-${n % 1000}` })
  const unused = Object.fromEntries(UNUSED.map((name) => [name, null]))
  const attributes = {
    email: 'ada@example.com',
    name: 'Ada Example',
    first_seen_at: '2022-10-12T01:47:33.000000Z',
    form_submissions_count: '1',
    form_views_count: '2',
    last_form_view_at: '2022-10-12T02:03:46.000000Z',
    plan: 'pro',
    ...unused,
  }
  const account = body['account'] as object
  const accountAttributes = {
    name: 'Acme Inc.',
    since: '2022-10-01T00:00:00.000000Z',
    seats: 0,
    company: null,
  }
  return JSON.stringify({
    ...body,
    attributes,
    account: { ...account, attributes: { ...accountAttributes, trait1: null, trait2: null, revenue: null } },
    response: { ...(body['response'] as object), uuid: crypto.randomUUID() },
  })
}
