/** How the two destinations are called, and which settings say how to reach them. */
export const DESTINATIONS = [
  { destination: 'segment', title: 'Segment', key: 'segment.write_key', endpoint: 'segment.endpoint' },
  { destination: 'refiner', title: 'Refiner', key: 'refiner.api_key', endpoint: 'refiner.endpoint' },
] as const
