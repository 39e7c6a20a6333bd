/** One of AWS's separate worlds: its domain, and its one IAM endpoint with the region that is signed for it (AWS General Reference, "AWS IAM endpoints"). */
export type Partition = {
  readonly domain: string
  readonly iamEndpoint: string
  readonly iamRegion: string
}

export const partitions: ReadonlyMap<string, Partition> = new Map([
  ['aws', { domain: 'amazonaws.com', iamEndpoint: 'https://iam.amazonaws.com', iamRegion: 'us-east-1' }],
  [
    'aws-us-gov',
    { domain: 'amazonaws.com', iamEndpoint: 'https://iam.us-gov.amazonaws.com', iamRegion: 'us-gov-west-1' },
  ],
  [
    'aws-cn',
    {
      domain: 'amazonaws.com.cn',
      iamEndpoint: 'https://iam.cn-north-1.amazonaws.com.cn',
      iamRegion: 'cn-north-1',
    },
  ],
])
