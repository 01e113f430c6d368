import { describe, expect, test } from 'bun:test'
import type { PluginInteraction, PluginMessage } from '../../src/contracts/plugin.ts'
import type { PluginHost, PluginResult } from '../../src/contracts/plugin-host.ts'
import { jsonOfFields } from '../../src/json/fields.ts'
import { mapItems } from '../../src/mapping/map-items.ts'
import { compileMapping } from '../../src/mapping/tenant-mapping.ts'
import { completedSurvey, withResponse } from '../fixtures/refiner-webhook.ts'
import { testTenant } from '../support/configuration.ts'

type Answer = (messages: PluginMessage[], interaction: PluginInteraction) => unknown

/** A host whose plugins are functions of the test, by name; what they return is sent as it is. */
function hostOf(plugins: Record<string, Answer>): PluginHost & { calls: string[] } {
  const calls: string[] = []
  return {
    calls,
    async call(plugin, tenant, given) {
      calls.push(`${tenant}/${plugin}: ${given.length}`)
      return given.map(({ interaction, messages }): PluginResult => {
        const answer = plugins[plugin]!(
          messages.map((message) => JSON.parse(jsonOfFields(message)) as PluginMessage),
          JSON.parse(jsonOfFields(interaction)) as PluginInteraction,
        )
        if (isResult(answer)) return answer
        return {
          kind: 'messages',
          messages: (answer as unknown[]).map((item) => `\x1d${JSON.stringify(item)}`),
        }
      })
    },
    stop() {},
  }
}

function isResult(answer: unknown): answer is PluginResult {
  return typeof answer === 'object' && answer !== null && 'kind' in answer
}

async function deliveries(plugins: Record<string, Answer>, bodies: readonly unknown[] = [completedSurvey()]) {
  const host = hostOf(plugins)
  const tenant = testTenant('acme', { toSegment: { plugins: Object.keys(plugins) } })
  const items = bodies.map((body, index) => ({
    id: index + 1,
    source: 'refiner_webhook' as const,
    payload: JSON.stringify(body),
    receivedAt: 1,
  }))
  const all = await mapItems(items, compileMapping(tenant), host)
  return { all: all.map((mapped) => mapped.deliveries), first: all[0]!.deliveries, calls: host.calls }
}

function sent(payload: string | null): PluginMessage {
  return JSON.parse(payload!) as PluginMessage
}

describe('plugins', () => {
  test('see the interaction and the messages, and what they return is sent', async () => {
    let seen: PluginInteraction | undefined
    const { first } = await deliveries({
      plan(messages, interaction) {
        seen = interaction
        return messages.map((message) => ({ ...message, context: { plugin: 'plan' } }))
      },
    })
    expect(seen).toMatchObject({
      kind: 'completed',
      survey: { name: 'Customer Churn Survey' },
      answers: { nps: '9' },
      user: { id: 'user-1042', attributes: { plan: 'pro' } },
      response: { completed_at: '2022-10-14T07:58:55.000Z', dismissed_at: null },
    })
    expect(first.map(({ call, state }) => [call, state])).toEqual([
      ['identify', 'pending'],
      ['group', 'pending'],
      ['track', 'pending'],
    ])
    expect(sent(first[0]!.payload).context).toEqual({ plugin: 'plan' })
  })

  test('come one after the other, each with all items at once', async () => {
    const { first, calls } = await deliveries(
      {
        one: (messages) => messages.slice(0, 1),
        two: (messages) => messages.map((message) => ({ ...message, traits: { only: messages.length } })),
      },
      [completedSurvey(), withResponse({ uuid: '0d9c2a4e-9999-4f6b-9d0a-5b1f1f0a0009' })],
    )
    expect(calls).toEqual(['acme/one: 2', 'acme/two: 2'])
    expect(first.map(({ payload }) => sent(payload).traits)).toEqual([{ only: 1 }])
  })

  test('keep the IDs of messages, and new ones get their own, which stay', async () => {
    const plugin: Answer = (messages) => [
      ...messages,
      { type: 'track', event: 'Extra' },
      { type: 'track', event: 'Extra' },
      { type: 'track', event: 'Extra', messageId: 'seed' },
      messages[0],
    ]
    const plain = await deliveries({ same: (messages) => messages })
    const { first } = await deliveries({ more: plugin })
    const again = await deliveries({ more: plugin })
    expect(first.slice(0, 3).map(({ messageId }) => messageId)).toEqual(
      plain.first.map(({ messageId }) => messageId),
    )
    expect(first.map(({ messageId }) => messageId)).toEqual(again.first.map(({ messageId }) => messageId))
    expect(new Set(first.map(({ messageId }) => messageId)).size).toBe(7)
    expect(
      first.every(({ messageId }) => /^refiner-sync-[0-9a-f]{32}-[a-z]+-[0-9a-f]{16}$/.test(messageId)),
    ).toBe(true)
    expect(sent(first[3]!.payload)).toMatchObject({
      userId: 'user-1042',
      timestamp: '2022-10-14T07:58:55.000Z',
      integrations: { Refiner: false },
      context: { library: { name: 'refiner-sync' } },
    })
  })

  test('skip with a reason, or by leaving nothing', async () => {
    const skipping = await deliveries({ no: () => ({ kind: 'skipped', reason: 'staff' }) })
    expect(skipping.first).toMatchObject([
      { state: 'skipped', reason: 'plugin no skipped it', detail: 'staff', payload: null },
    ])
    const { first } = await deliveries({ none: () => [], after: (messages) => messages })
    expect(first).toMatchObject([{ state: 'skipped', reason: 'plugin none left nothing to send' }])
  })

  test('that fail cost their own delivery only', async () => {
    const { all } = await deliveries(
      {
        picky: (messages, { response }) =>
          response.uuid === null
            ? { kind: 'failed', reason: 'TypeError at plugins/picky.ts:3:5', detail: 'TypeError: no uuid' }
            : messages,
      },
      [withResponse({ uuid: null }), completedSurvey()],
    )
    expect(all[0]).toMatchObject([
      {
        state: 'dead',
        call: 'all',
        messageId: 'inbox-1',
        reason: 'plugin picky: TypeError at plugins/picky.ts:3:5',
        detail: 'TypeError: no uuid',
      },
    ])
    expect(all[1]!.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending'])
  })

  test.each<[string, unknown[], string]>([
    ['no object', ['x'], 'message 1 of those it returned is no object'],
    ['an unknown type', [{ type: 'page' }], 'has a type other than identify, group and track'],
    ['traits that are a list', [{ type: 'identify', traits: [] }], 'has traits that are no object'],
    ['an ID that is a number', [{ type: 'identify', userId: 7 }], 'has a userId that is no text'],
  ])('that return %s fail, by name', async (_, messages, says) => {
    const { first } = await deliveries({ odd: () => messages })
    expect(first[0]!.reason).toStartWith('plugin odd: ')
    expect(first).toMatchObject([{ state: 'dead', reason: expect.stringContaining(says) }])
  })

  test('are not called for what is skipped before', async () => {
    const { first, calls } = await deliveries({ any: (messages) => messages }, [
      completedSurvey({ remote_id: null }),
    ])
    expect(calls).toEqual([])
    expect(first).toMatchObject([{ state: 'skipped' }])
  })

  test('cannot get past the limits of Segment', async () => {
    const { first } = await deliveries({
      big: (messages) => messages.map((message) => ({ ...message, traits: { text: 'x'.repeat(40_000) } })),
    })
    expect(first.every(({ state, reason }) => state === 'dead' && reason!.includes('32 KB'))).toBe(true)
  })
})
