import type { NewDelivery } from '../contracts/delivery.ts'
import type { JsonValue } from '../contracts/json.ts'
import type { Palette } from '../demo/palette.ts'
import type { Explanation } from '../mapping/explain.ts'
import type { Item } from '../mapping/map-item.ts'
import { displayed, displayedJson } from '../testing/displayed.ts'
import { StepTeller } from './step-teller.ts'

/** What Segment takes of one message: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/ */
const SEGMENT_BYTES = 32 * 1024

const REFINER_PATHS: Readonly<Record<string, string>> = {
  identify: 'POST /identify-user',
  group: 'POST /identify-user',
  track: 'POST /track-event',
}

/** How an item becomes messages, step by step, as a person reads it. */
export function describeExplanation(
  { subject, start, steps, mapped }: Explanation,
  { source }: Item,
  palette: Palette,
): string[] {
  const direction = source === 'segment' ? 'Segment to Refiner' : 'Refiner to Segment'
  const teller = new StepTeller(palette, source)
  const lines = [`${palette.heading(displayed(subject))}  ${palette.quiet(direction)}`]
  if (start.length > 0) {
    lines.push('', palette.strong('What the settings alone make of it'), ...teller.start(start))
  }
  for (const kind of ['rule', 'plugin'] as const) {
    const told = teller.steps(steps, kind, start)
    if (told.length > 0) lines.push('', palette.strong(kind === 'rule' ? 'Rules' : 'Plugins'), ...told)
  }
  return [...lines, ...describeDeliveries(mapped.deliveries, palette)]
}

function describeDeliveries(deliveries: readonly NewDelivery[], palette: Palette): string[] {
  const sent = deliveries.filter(({ state }) => state === 'pending').length
  const destination = deliveries[0]?.destination === 'refiner' ? 'Refiner' : 'Segment'
  const notes = [...new Set(deliveries.flatMap((delivery) => delivery.notes ?? []))]
  const lines = [
    '',
    palette.strong(`What would be sent to ${destination}: ${sent === 0 ? 'nothing' : counted(sent)}`),
  ]
  for (const delivery of deliveries) lines.push(...describeDelivery(delivery, palette))
  for (const note of notes) lines.push('', `  ${palette.refused('note:')} ${displayed(note)}`)
  return lines
}

function counted(number: number): string {
  return number === 1 ? '1 message' : `${number} messages`
}

function describeDelivery(delivery: NewDelivery, palette: Palette): string[] {
  const { state, reason, detail, payload, destination, call } = delivery
  const why = displayed([reason, detail].filter((text) => text !== null).join(': '))
  switch (state) {
    case 'skipped':
      return [`  ${palette.refused('skipped:')} ${why}`]
    case 'dead':
      return [`  ${palette.bad('kept as dead, not sent:')} ${why}`, ...describePayload(payload)]
    case 'pending': {
      const path = destination === 'refiner' ? ` by ${REFINER_PATHS[call] ?? 'a call'}` : ''
      return ['', `  ${palette.segment(call)}${path}, ${sizeOf(delivery)}`, ...describePayload(payload)]
    }
  }
}

function sizeOf({ payload, destination }: NewDelivery): string {
  const bytes = Buffer.byteLength(payload ?? '')
  return destination === 'segment'
    ? `${bytes} bytes of the ${SEGMENT_BYTES} that Segment takes`
    : `${bytes} bytes`
}

function describePayload(payload: string | null): string[] {
  if (payload === null) return []
  return displayedJson(JSON.parse(payload) as JsonValue, 2)
    .split('\n')
    .map((line) => `    ${line}`)
}
