/**
 * IDs of which we make our own: what an item becomes as a whole (`map-item.ts`), what Refiner is to delete
 * (`store/erasures.ts`), who enters or leaves a segment (`segments/look-at-user.ts`). A sender's must be another one, or
 * either would be taken for a copy of the other.
 */
const OURS = /^(?:sender-)*(?:inbox-\d|erasure-\d|segment-change-)/

/** The ID under which a sender's message is kept. */
export function senderId(messageId: string): string {
  return OURS.test(messageId) ? `sender-${messageId}` : messageId
}
