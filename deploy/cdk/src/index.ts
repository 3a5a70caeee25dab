export * from './account';
export * from './mixlake';
export * from './settings';
