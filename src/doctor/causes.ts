import { allAnonymous } from './causes/all-anonymous.ts'
import { alwaysFails } from './causes/always-fails.ts'
import { clocksApart } from './causes/clocks-apart.ts'
import { configurationNotInForce } from './causes/configuration-not-in-force.ts'
import { deadDeliveries } from './causes/dead-deliveries.ts'
import { destinationUnreachable } from './causes/destination-unreachable.ts'
import { destinationUnused } from './causes/destination-unused.ts'
import { everythingLeftOut } from './causes/everything-left-out.ts'
import { keyRefused } from './causes/key-refused.ts'
import { nothingTaken } from './causes/nothing-taken.ts'
import { userIdsDiffer } from './causes/user-ids-differ.ts'
import { webhookNever } from './causes/webhook-never.ts'
import { webhookRefused } from './causes/webhook-refused.ts'
import { webhookSilent } from './causes/webhook-silent.ts'
import type { Cause } from './finding.ts'

/**
 * All causes; of those that are as likely the one that explains most comes first. A static list: a compiled binary has no
 * folder to read.
 */
export const CAUSES: readonly Cause[] = [
  nothingTaken,
  configurationNotInForce,
  webhookRefused,
  keyRefused,
  destinationUnreachable,
  everythingLeftOut,
  alwaysFails,
  userIdsDiffer,
  webhookSilent,
  allAnonymous,
  deadDeliveries,
  clocksApart,
  webhookNever,
  destinationUnused,
]
