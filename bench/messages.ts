import { completedSurvey } from '../test/fixtures/refiner-webhook.ts'

/** A Segment message of about 0.5 KB that was never sent before. */
export function segmentMessage(n: number): string {
  return JSON.stringify({
    type: 'track',
    userId: `user-${n % 1000}`,
    event: 'Clicked',
    messageId: crypto.randomUUID(),
    timestamp: '2024-05-01T00:00:00.000Z',
    properties: { text: 'x'.repeat(280) },
    context: { library: { name: 'bench', version: '1' } },
  })
}

/** A Refiner webhook of about 2 KB about a response that was never reported before. */
export function refinerWebhook(n: number, uuid: string = crypto.randomUUID()): string {
  const body = completedSurvey({ remote_id: `user-${n % 1000}`, display_name: 'x'.repeat(400) })
  return JSON.stringify({ ...body, response: { ...(body['response'] as object), uuid } })
}
