export { formatSubmission, parseSubmission, type Submission, submissionLimits } from './add-checkpoint.ts'
export {
  type Cosigning,
  type CosigningStatus,
  cosigningLimits,
  createCosigning,
  type WitnessPolicy,
} from './cosigning.ts'
export { createKeptCheckpoint, type KeptCheckpoint } from './kept-checkpoint.ts'
export { createWitnessListener, listenerLimits } from './listener.ts'
export { openWitnessState, type Seen, type WitnessState } from './state.ts'
export {
  createSubmitter,
  type Submitted,
  type Submitter,
  type WitnessAddress,
  type WitnessedLog,
} from './submission.ts'
export { createWitness, type Witness, type WitnessAnswer } from './witness.ts'
