// Owns an entry for threads of the codec pool that cannot start. Pool thread.

throw new Error('this module does not load');
