import type { NewDelivery } from '../contracts/delivery.ts'
import type { Interaction } from '../contracts/interaction.ts'
import type { MessageIds } from './message-id.ts'
import { type Message, userKeyOf } from './segment-messages.ts'
import { brokenLimit } from './segment-limits.ts'

/** A message on its way; dead where Segment would drop it. */
export function messageDelivery(message: Message, notes: string | null): NewDelivery {
  const payload = JSON.stringify(message)
  const reason = brokenLimit(message, payload)
  return {
    destination: 'segment',
    call: message.type,
    userKey: userKeyOf(message),
    messageId: message.messageId,
    payload,
    state: reason === null ? 'pending' : 'dead',
    reason,
    detail: null,
    notes,
  }
}

/** An interaction of which nothing is sent, and why. */
export function skippedDelivery(
  interaction: Interaction,
  ids: MessageIds,
  reason: string,
  notes: string | null,
): NewDelivery {
  return {
    destination: 'segment',
    call: 'all',
    userKey: interaction.user.id ?? interaction.user.uuid ?? '',
    messageId: ids.of('all', [interaction.user.id, reason]),
    payload: null,
    state: 'skipped',
    reason,
    detail: null,
    notes,
  }
}
