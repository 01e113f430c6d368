import { createHash } from 'node:crypto'
import { MessageIds } from '../mapping/message-id.ts'
import { readRefinerWebhook } from '../mapping/refiner-webhook.ts'
import type { Store } from '../store/open.ts'
import { wasSent } from '../store/sent-before.ts'

/** The same for the same bytes. */
export function dedupKeyOf(payload: string): string {
  return createHash('sha256').update(payload).digest('hex')
}

/** Whether what a webhook body tells went out so long ago that its deliveries have been removed. */
export function wentOut(store: Store, tenant: string, payload: string): boolean {
  const interaction = readRefinerWebhook(payload, 0)
  if ('unreadable' in interaction) return false
  const { id, email, uuid } = interaction.user
  const anyId = new MessageIds(tenant, interaction).of('all', [])
  // Without a user ID the settings of then decided whom it was sent as.
  const users = id === null ? [email, uuid] : [id]
  return users.some((user) => user !== null && wasSent(store, tenant, anyId, user))
}
