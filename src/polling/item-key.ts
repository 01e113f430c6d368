import type { Interaction } from '../contracts/interaction.ts'
import { MessageIds } from '../mapping/message-id.ts'

/**
 * By what the inbox knows an interaction that was read from Refiner's API, however its fields were worded this time. A
 * contact that is identified later is news, as it is when a webhook says so.
 */
export function itemKey(tenant: string, interaction: Interaction): string {
  const { prefix } = new MessageIds(tenant, interaction)
  const about = [interaction.user.id, interaction.account.id].map((id) => id ?? '').join(' ')
  return `polled ${prefix}${about}`
}
