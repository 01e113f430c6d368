import { readRefinerWebhook } from '../mapping/refiner-webhook.ts'
import { itemKey } from '../polling/item-key.ts'
import { wentOut } from '../polling/went-out.ts'
import type { Store } from '../store/open.ts'

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
