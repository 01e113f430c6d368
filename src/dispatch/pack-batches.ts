import type { BatchLimits } from '../contracts/delivery.ts'

interface Packable {
  readonly userKey: string
  readonly payload: string
}

/**
 * Packs deliveries that are due into at most `slots` batches that can be sent side by side. Order per user is kept:
 * within a batch by position, and a user is in one batch only; what does not fit there stays for later. Reads on no
 * further than it needs to. A payload over the limit of bytes goes alone: the destination is to judge it.
 */
export function packBatches<D extends Packable>(
  due: Iterable<D>,
  limits: Pick<BatchLimits, 'messages' | 'bytes'>,
  slots: number,
): D[][] {
  const batches: D[][] = []
  /** The users of batches that are closed, and those of whom something was left for later. */
  const waiting = new Set<string>()
  let open: D[] = []
  let bytes = 0
  for (const delivery of due) {
    if (waiting.has(delivery.userKey)) continue
    const size = Buffer.byteLength(delivery.payload) + (open.length > 0 ? 1 : 0)
    if (open.length > 0 && (open.length >= limits.messages || bytes + size > limits.bytes)) {
      batches.push(open)
      if (batches.length === slots) return batches
      for (const { userKey } of open) waiting.add(userKey)
      open = []
      bytes = 0
      if (waiting.has(delivery.userKey)) continue
    }
    open.push(delivery)
    bytes += size
  }
  if (open.length > 0) batches.push(open)
  return batches
}
