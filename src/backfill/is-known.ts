import type { Interaction } from '../contracts/interaction.ts'
import { MessageIds } from '../mapping/message-id.ts'
import { readRefinerWebhook } from '../mapping/refiner-webhook.ts'
import { itemKey } from '../polling/item-key.ts'
import type { Store } from '../store/open.ts'
import { wasSent } from '../store/sent-before.ts'

/** What a webhook body tells, as far as it is to be known again. */
export interface KnownAs {
  /** By which the inbox knows it. */
  readonly dedupKey: string
  /** Whether it went out so long ago that its deliveries have been removed. */
  readonly wentOut: boolean
}

/** Null for a body that tells nothing. */
export function knownAs(store: Store, tenant: string, payload: string): KnownAs | null {
  const interaction = readRefinerWebhook(payload, 0)
  if ('unreadable' in interaction) return null
  return { dedupKey: itemKey(tenant, interaction), wentOut: wentOut(store, tenant, interaction) }
}

function wentOut(store: Store, tenant: string, interaction: Interaction): boolean {
  const { id, email, uuid } = interaction.user
  const anyId = new MessageIds(tenant, interaction).of('all', [])
  // Without a user ID the settings of then decided whom it was sent as.
  const users = id === null ? [email, uuid] : [id]
  return users.some((user) => user !== null && wasSent(store, tenant, anyId, user))
}
