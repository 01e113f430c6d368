/** What the stand-in for Segment has received. */
export interface SinkCounts {
  /** Those with all their messages there. */
  readonly webhooks: number
  readonly messages: number
}

export async function sinkCounts(sink: string): Promise<SinkCounts> {
  return (await (await fetch(`${sink}/counts`)).json()) as SinkCounts
}

/** When the track of each response came, in ms since 1970. */
export async function sinkTracks(sink: string): Promise<Readonly<Record<string, number>>> {
  return (await (await fetch(`${sink}/tracks`)).json()) as Record<string, number>
}
