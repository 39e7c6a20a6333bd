export {
  createMachineKey,
  isMachineKey,
  type KnownKey,
  machineKeyPattern,
  verifyMachineKey,
} from './machine-key.ts'
