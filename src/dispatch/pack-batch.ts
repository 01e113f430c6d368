import type { BatchLimits, DeliveryCall } from '../contracts/delivery.ts'

interface Packable {
  readonly call: DeliveryCall
  readonly userKey: string
  readonly payload: string
}

/**
 * The first of the deliveries that are due, as many as fit into one batch, in their order. Reads on no further than it
 * needs to. A payload over the limit of bytes goes alone: the destination is to judge it.
 */
export function packBatch<D extends Packable>(
  due: Iterable<D>,
  limits: Pick<BatchLimits, 'messages' | 'bytes' | 'together'>,
): D[] {
  const batch: D[] = []
  let bytes = 0
  for (const delivery of due) {
    bytes += Buffer.byteLength(delivery.payload) + (batch.length > 0 ? 1 : 0)
    if (batch.length > 0 && (bytes > limits.bytes || !goesAlong(delivery, batch[0]!, limits))) break
    batch.push(delivery)
    if (batch.length >= limits.messages) break
  }
  return batch
}

function goesAlong(next: Packable, first: Packable, { together }: Pick<BatchLimits, 'together'>): boolean {
  switch (together) {
    case 'all':
      return true
    case 'identifies':
      return first.call === 'identify' && next.call === 'identify' && next.userKey === first.userKey
  }
}
