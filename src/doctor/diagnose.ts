import type { Facts } from '../contracts/diagnosis.ts'
import { CAUSES } from './causes.ts'
import type { Cause, Finding, Likelihood } from './finding.ts'

/** A finding, with the name of its cause. */
export interface NamedFinding extends Finding {
  readonly cause: string
}

const ORDER: readonly Likelihood[] = ['certain', 'likely', 'possible']

/** What is wrong with a daemon, by its facts, the most likely first; empty when nothing is. */
export function diagnose(facts: Facts, causes: readonly Cause[] = CAUSES): NamedFinding[] {
  const findings = causes.flatMap((cause) => cause.find(facts).map((one) => ({ cause: cause.name, ...one })))
  return findings.toSorted((a, b) => ORDER.indexOf(a.likelihood) - ORDER.indexOf(b.likelihood))
}
