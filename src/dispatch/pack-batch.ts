import type { BatchLimits } from '../contracts/delivery.ts'

/**
 * The first of the deliveries that are due, as many as fit into one batch, in their order. Reads on no further than it
 * needs to. A payload over the limit of bytes goes alone: the destination is to judge it.
 */
export function packBatch<D extends { readonly payload: string }>(
  due: Iterable<D>,
  limits: Pick<BatchLimits, 'messages' | 'bytes'>,
): D[] {
  const batch: D[] = []
  let bytes = 0
  for (const delivery of due) {
    bytes += Buffer.byteLength(delivery.payload) + (batch.length > 0 ? 1 : 0)
    if (batch.length > 0 && bytes > limits.bytes) break
    batch.push(delivery)
    if (batch.length >= limits.messages) break
  }
  return batch
}
