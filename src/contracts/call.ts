/** Calls of the Segment spec that go through a mapping. */
export type Call = 'identify' | 'group' | 'track'
