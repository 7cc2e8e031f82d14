//! The one prompt builder: training, evaluation, the playground and the bench make their prompts here.
