import type { ShapesFacts } from '../../contracts/diagnosis.ts'
import { type Cause, inEachTenant } from '../finding.ts'

/** Fewer say nothing: the ones who answer may not be those who were seen. */
const ENOUGH = 20
/** So many that look alike, and have not one in common, do not do so by chance. */
const PLENTY = 200

/** The same people have other user IDs in Refiner than in Segment: the most common mistake of all. */
export const userIdsDiffer: Cause = {
  name: 'user_ids_differ',
  looksAt: 'whether the user IDs of Refiner and those of Segment are the same ones',
  find: inEachTenant(({ user_ids: { refiner, segment, shared, shared_loosely, complete } }) => {
    if (shared > 0 || refiner.ids < ENOUGH || segment.ids < ENOUGH) return []
    const alike = shapesIn(refiner).some((shape) => shapesIn(segment).includes(shape))
    const conclusive = complete && Math.min(refiner.ids, segment.ids) >= PLENTY
    if (alike && !conclusive && shared_loosely === 0) return []
    return [
      {
        likelihood: alike && shared_loosely === 0 ? 'possible' : 'certain',
        problem: `the two sides name people differently: of ${refiner.ids} user IDs of Refiner and ${segment.ids} of Segment not one is the same`,
        evidence: [
          ...sideBySide(refiner, segment),
          ...(shared_loosely > 0
            ? [
                `${shared_loosely} of them would be the same, if neither case nor what stands before _ : | - counted`,
              ]
            : []),
        ],
        advice: [
          'where your app tells Refiner who a user is, give it the very ID that it gives to Segment',
          'Refiner knows the ID as remote_id, Segment as userId; an email is neither',
          'until then answers go to other people in Segment than those who gave them',
        ],
      },
    ]
  }),
}

function shapesIn({ shapes }: ShapesFacts): string[] {
  return shapes.map(({ shape }) => shape)
}

function sideBySide(refiner: ShapesFacts, segment: ShapesFacts): string[] {
  const left = ['Refiner', ...refiner.shapes.map((one) => `${one.shape} × ${one.ids}`)]
  const right = ['Segment', ...segment.shapes.map((one) => `${one.shape} × ${one.ids}`)]
  const width = Math.max(...left.map(({ length }) => length)) + 4
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index) =>
    `${(left[index] ?? '').padEnd(width)}${right[index] ?? ''}`.trimEnd(),
  )
}
