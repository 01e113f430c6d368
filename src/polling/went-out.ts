import type { Interaction } from '../contracts/interaction.ts'
import { MessageIds } from '../mapping/message-id.ts'
import type { Store } from '../store/open.ts'
import { wasSent } from '../store/sent-before.ts'

/** Whether an interaction went out so long ago that its deliveries have been removed. */
export function wentOut(store: Store, tenant: string, interaction: Interaction): boolean {
  const { id, email, uuid } = interaction.user
  const anyId = new MessageIds(tenant, interaction).of('all', [])
  // Without a user ID the settings of then decided whom it was sent as.
  const users = id === null ? [email, uuid] : [id]
  return users.some((user) => user !== null && wasSent(store, tenant, anyId, user))
}
