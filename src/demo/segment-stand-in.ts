import { type Arrivals, createArrivalLog } from './arrivals.ts'
import { type Respond, startScriptedServer } from './scripted-server.ts'
import { readSegmentRequest, type TrackingMessage, whyDropped } from './segment-request.ts'

export interface SegmentStandInOptions {
  /** Default: a free port. */
  readonly port?: number
  /** The sources of the workspace; what comes with another key is answered 200 and dropped, as Segment does. */
  readonly writeKeys: readonly string[] | 'any'
  /** Replaces the answer to a request; its messages are then not recorded. */
  readonly respond?: Respond
  onMessage?(message: TrackingMessage, writeKey: string | null, dropped: string | null): void
}

/** One message of an answered request. */
export interface ReceivedMessage {
  /** Counts from 0 over all requests. */
  readonly order: number
  readonly path: string
  readonly writeKey: string | null
  readonly message: TrackingMessage
  /** Why the workspace never sees it although Segment answered 200; null when it is delivered. */
  readonly dropped: string | null
}

export interface SegmentStandIn extends Pick<Arrivals<ReceivedMessage>, 'until'> {
  /** Without `/v1`: `http://127.0.0.1:49152` */
  readonly url: string
  /** All that arrived, copies and dropped ones included. */
  readonly messages: readonly ReceivedMessage[]
  /** What the workspace sees: the first arrival of each messageId that Segment does not drop. */
  readonly delivered: readonly ReceivedMessage[]
  /** All requests so far, those that met a fault included. */
  readonly requests: number
  /** Ends at once, hanging requests too. May be called again. */
  stop(): Promise<void>
}

/** A stand-in for Segment's Tracking API on loopback, for the demo and for tests. */
export function startSegmentStandIn(options: SegmentStandInOptions): SegmentStandIn {
  const log = createArrivalLog<ReceivedMessage>()
  const seen = new Set<unknown>()

  const record = (
    path: string,
    writeKey: string | null,
    message: TrackingMessage,
    dropped: string | null,
  ) => {
    const reason = dropped ?? whyDropped(message) ?? whyCopy(seen, message)
    log.add({ order: log.items.length, path, writeKey, message, dropped: reason })
    options.onMessage?.(message, writeKey, reason)
  }

  const server = startScriptedServer({
    port: options.port ?? 0,
    respond: options.respond ?? null,
    answer(request) {
      const read = readSegmentRequest(request)
      if (!read.ok) return Response.json({ success: false, message: read.message }, { status: read.status })
      const dropped = whyUnknownKey(options.writeKeys, read.writeKey) ?? read.dropped
      for (const message of read.messages) record(request.path, read.writeKey, message, dropped)
      return Response.json({ success: true })
    },
  })

  return {
    url: server.url,
    messages: log.items,
    get delivered() {
      return log.items.filter((received) => received.dropped === null)
    },
    get requests() {
      return server.requests
    },
    until: (enough, signal) => log.until(enough, signal),
    stop: () => server.stop(),
  }
}

function whyUnknownKey(known: readonly string[] | 'any', presented: string | null): string | null {
  if (presented === null) return 'no write key'
  return known === 'any' || known.includes(presented) ? null : 'unknown write key'
}

/** Segment removes copies across a whole workspace, whichever source they come from; without an ID there are none. */
function whyCopy(seen: Set<unknown>, { messageId }: TrackingMessage): string | null {
  if (messageId === undefined) return null
  if (seen.has(messageId)) return 'a copy: its messageId was here before'
  seen.add(messageId)
  return null
}
